import { walkSuite } from '../support/netns-suite.ts'
import { forward } from './nft-forward.ts'

walkSuite('the walk and the kernel: sets of nft', [
  {
    name: 'sets of intervals, negated, with a catch-all',
    nft: forward(
      `ct state established accept
      ip saddr @nets tcp dport 80 drop
      ip saddr != @nets tcp dport 81 drop
      tcp dport { 7000, 7001-7002 } ip daddr != { $p3, $lan } drop
      ip daddr vmap @whole
      udp dport != { 53, 54 } drop`,
      `set nets {
        type ipv4_addr
        flags interval
        elements = { {10.244.1.0-10.244.1.2|fd44:1::-fd44:1::2}, $pods2, $lanb }
      }
      map whole {
        type ipv4_addr : verdict
        elements = { $p2 : continue, $ext : accept, * : jump others }
      }
      chain others {
        udp dport 54 drop
      }`,
    ),
    flows: `
      p1 tcp $p2:80 = dropped
      p3 tcp $p2:80 = p2 $p2:80 < $p3
      p3 tcp $p2:81 = dropped
      p1 tcp $p2:81 = p2 $p2:81 < $p1
      p1 tcp $p2:7000 = dropped
      p1 tcp $p2:7002 = dropped
      p1 tcp $p3:7001 = p3 $p3:7001 < $p1
      p1 udp $p2:54 = p2 $p2:54 < $p1
      p1 udp $p3:54 = dropped
      p1 udp $ext:54 = ext $ext:54 < $p1`,
  },
  {
    name: 'sets that packets fill',
    nft: forward(
      `tcp dport 80 add @seen { ip saddr }
      ip saddr @seen tcp dport 80 drop
      tcp dport 81 ip saddr @seen drop
      tcp dport 82 update @known { ip daddr limit rate over 1/hour burst 100 packets } drop
      tcp dport 7000 ct count over 20 drop
      tcp dport 7001 ct count 20 drop
      udp dport 53 limit rate over 1000/second drop
      udp dport 54 limit rate 1000/second drop
      ip saddr . tcp dport @listed drop
      tcp dport 7003 quota over 500 mbytes drop`,
      `set seen {
        type ipv4_addr
        size 100
        flags dynamic
      }
      set known {
        type ipv4_addr
        size 100
        flags dynamic,timeout
        timeout 5m
      }
      set listed {
        type ipv4_addr . inet_service
        flags timeout
        elements = { $p1 . 7002 timeout 1h }
      }`,
    ),
    flows: `
      p1 tcp $p2:80 = dropped
      p3 tcp $p2:81 = p2 $p2:81 < $p3
      p1 tcp $p2:82 = rst
      p1 tcp $p2:7000 = p2 $p2:7000 < $p1
      p1 tcp $p2:7001 = dropped
      p1 udp $p2:53 = p2 $p2:53 < $p1
      p1 udp $p2:54 = dropped
      p1 tcp $p2:7002 = dropped
      p3 tcp $p2:7002 = p2 $p2:7002 < $p3
      p1 tcp $p2:7003 = p2 $p2:7003 < $p1`,
  },
  {
    name: 'taken out of a set',
    nft: forward(
      `tcp dport 80 delete @held { ip saddr }
      tcp dport 80 ip saddr @held drop
      tcp dport 7000 ip saddr @held drop`,
      `set held {
        type ipv4_addr
        size 100
        flags dynamic,timeout
        timeout 1h
        elements = { $p1, $p3 }
      }`,
    ),
    flows: `
      p1 tcp $p2:7000 = dropped
      p3 tcp $p2:80 = p2 $p2:80 < $p3
      ext tcp $p1:80 = p1 $p1:80 < $ext`,
  },
  {
    name: 'put in again after it was taken out',
    nft: forward(
      `tcp dport 81 delete @held { ip saddr }
      tcp dport 81 add @held { ip saddr }
      tcp dport 81 ip saddr @held drop`,
      `set held {
        type ipv4_addr
        size 100
        flags dynamic,timeout
        timeout 1h
        elements = { $p1, $p3 }
      }`,
    ),
    flows: 'p1 tcp $p2:81 = dropped',
  },
])
