import { walkSuite } from '../support/netns-suite.ts'

walkSuite('the walk and the kernel: what nft changes', [
  {
    name: 'a route chain looks for a route again after a mark, a filter chain does not',
    sh: { n1: 'ip rule add fwmark 0x1/0x1 lookup 100\nip route add $p2/{32|128} via $n2b dev eth1 table 100' },
    nft: {
      n1: `table inet t {
        chain pick {
          type route hook output priority mangle;
          tcp dport 80 meta mark set 0x1
        }
        chain plain {
          type filter hook output priority 10;
          tcp dport 81 meta mark set 0x1
          udp dport 53 meta mark set 0x1
        }
        chain post {
          type filter hook postrouting priority 0;
          tcp dport 80 oifname "eth1" ct mark set 0x5
          tcp dport 81 oifname "eth1" drop
          tcp dport 80 oifname "eth0" drop
        }
      }`,
    },
    flows: `
      n1 tcp $p2:80 = p2 $p2:80 < $n1
      n1 tcp $p2:81 = p2 $p2:81 < $n1
      n1 udp $p2:53 = p2 $p2:53 < $n1`,
  },
  {
    name: 'addresses and ports rewritten without a connection',
    nft: {
      n1: `table ip t {
        chain pre {
          type filter hook prerouting priority -300;
          ip daddr $svc udp dport 53 ip daddr set $p2 udp dport set 54 notrack
          ip saddr $p2 udp sport 54 ip saddr set $svc udp sport set 53 notrack
          ip daddr $svc2 tcp dport 80 ip daddr set $p2
          ip daddr $svc tcp dport 81 ip saddr set $n1
        }
      }`,
    },
    flows: `
      p1 udp $svc:53 = p2 $p2:54 < $p1
      p1 tcp $svc2:80 = dropped
      p1 udp $p2:53 = p2 $p2:53 < $p1`,
  },
  {
    name: 'rewritten in OUTPUT: a route chain follows',
    nft: {
      n1: `table ip t {
        chain out {
          type route hook output priority -300;
          ip daddr $svc udp dport 53 ip daddr set $p1 udp dport set 54
        }
        chain back {
          type filter hook prerouting priority -300;
          ip saddr $p1 udp sport 54 ip saddr set $svc udp sport set 53
        }
      }`,
    },
    flows: 'n1 udp $svc:53 = p1 $p1:54 < $n1',
  },
  {
    name: 'hop limits set, connection marks kept',
    nft: {
      n1: `table ip t {
        chain pre {
          type filter hook prerouting priority mangle;
          udp dport 53 ip ttl set 1
          udp dport 54 ip ttl set 2
          iifname "cali3" tcp dport 80 ct mark set ct mark | 0x10
          iifname "cali3" tcp dport 81 ct mark set ct mark | 0x20
          iifname "eth0" meta mark set ct mark
        }
        chain ways {
          type filter hook forward priority 0;
          meta mark & 0x10 == 0x10 drop
        }
      }`,
    },
    flows: `
      p1 udp $p2:53 = icmp 11/0 $n1
      p1 udp $p2:54 = icmp 11/0 {$n2|$n2}
      p3 tcp $p2:80 = dropped
      p3 tcp $p2:81 = p2 $p2:81 < $p3`,
  },
  {
    name: 'statements that decide nothing',
    nft: {
      n1: `table ip t {
        counter c {
        }
        limit l {
          rate 1000/second
        }
        quota q {
          over 500 mbytes
        }
        chain ways {
          type filter hook forward priority 0; policy accept;
          counter log prefix "x " level debug limit rate 1000/second
          tcp flags syn tcp option maxseg size set 1400
          counter name "c"
          limit name "l" udp dport 53 drop
          quota name "q" udp dport 54 drop
          meta priority set 1:2
          meta priority 1:2 tcp dport 81 drop
          tcp dport { 80, 7000 } meta nftrace set 0
        }
      }`,
    },
    flows: `
      p1 tcp $p2:80 = p2 $p2:80 < $p1
      p1 udp $p2:53 = dropped
      p1 udp $p2:54 = p2 $p2:54 < $p1
      p1 tcp $p2:81 = dropped`,
  },
  {
    name: 'what is not modelled is undecided only where it could decide',
    nft: {
      n1: `table ip t {
        chain ways {
          type filter hook forward priority 0; policy accept;
          tcp dport 80 tcp option maxseg size > 1000 drop
          ip daddr $p2 tcp dport 81 meta cpu 0 drop
          udp dport 53 meta cpu 0 counter
          udp dport 54 meta cpu 0 accept
          udp dport 55 dup to $ext
        }
      }`,
    },
    flows: `
      p1 tcp $p2:80 = undecided
      p1 tcp $p2:81 = undecided
      p1 udp $p2:53 = p2 $p2:53 < $p1
      p1 udp $p2:54 = p2 $p2:54 < $p1
      p1 tcp $p2:7000 = p2 $p2:7000 < $p1`,
  },
])
