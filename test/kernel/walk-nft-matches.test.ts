import { walkSuite } from '../support/netns-suite.ts'
import { forward } from './nft-forward.ts'

walkSuite('the walk and the kernel: what nft matches', [
  {
    name: 'protocols that a field implies, in a table for both families',
    nft: forward(
      `tcp dport != 80 reject with icmpx type admin-prohibited
      udp dport 53-54 udp dport != 54 drop
      icmp type echo-request ip daddr $p3 drop
      ip saddr != $p1 ip daddr $p2 udp dport 54 drop
      {ip6|ip} saddr != {fd44:1::2|10.244.1.2} drop`,
      '',
      'inet',
    ),
    flows: `
      p1 tcp $p2:80 = dropped
      p3 tcp $ext:81 = icmp 3/13 $n1
      p1 udp $p2:53 = dropped
      p1 udp $p2:54 = p2 $p2:54 < $p1
      p3 udp $p2:54 = dropped
      p1 icmp $p3 = dropped
      p1 icmp $p2 = ok`,
  },
  {
    name: 'ports of whatever protocol, which an echo request hasn’t',
    nft: forward(
      `meta l4proto { tcp, udp } th dport 53 drop
      meta l4proto { icmp, ipv6-icmp } th dport 1-65535 ip daddr $p3 drop
      meta l4proto . th dport { tcp . 80, udp . 54 } drop
      ip daddr . meta l4proto . th dport { $p2 . tcp . 7000-7001, $pods2 . udp . 55 } drop`,
    ),
    flows: `
      p1 udp $p2:53 = dropped
      p1 tcp $p2:80 = dropped
      p1 udp $p2:54 = dropped
      p1 tcp $p2:7001 = dropped
      p1 tcp $p3:7001 = p3 $p3:7001 < $p1
      p1 tcp $p2:7002 = p2 $p2:7002 < $p1
      p1 icmp $p2 = ok`,
  },
  {
    name: 'a device that is not there has an empty name',
    nft: {
      n1: `table ip t {
        chain out {
          type filter hook output priority 0;
          iifname != "cali*" tcp dport 80 ip daddr $p2 drop
          iifname "cali*" drop
          iif != "eth0" tcp dport 81 ip daddr $p2 drop
          meta iiftype ether tcp dport 7003 drop
        }
        chain post {
          type filter hook postrouting priority 0;
          iifname != "e*" iifname != "c*" tcp dport 82 drop
          iifname "cali1" tcp dport 7000 drop
          iifname != { "cali1", "cali3" } tcp dport 7001 drop
          oifname "eth*" iifname "cali3" udp dport 53 drop
        }
        chain in {
          type filter hook input priority 0;
          oifname != "eth0" tcp dport 7002 drop
          oifname "eth0" drop
        }
      }`,
    },
    flows: `
      n1 tcp $p2:80 = dropped
      p1 tcp $p2:80 = p2 $p2:80 < $p1
      n1 tcp $p2:81 = dropped
      p1 tcp $p2:82 = rst
      n1 tcp $p2:82 = dropped
      p1 tcp $p2:7000 = dropped
      p3 tcp $p2:7000 = p2 $p2:7000 < $p3
      n1 tcp $p2:7001 = dropped
      n1 tcp $p2:7003 = p2 $p2:7003 < $n1
      p1 tcp $p2:7001 = p2 $p2:7001 < $p1
      p3 udp $p2:53 = dropped
      p3 udp $p1:53 = p1 $p1:53 < $p3
      p1 tcp $n1:7002 = dropped`,
  },
  {
    name: 'devices by number, by name with a star, in sets and maps',
    nft: forward(
      `iif "cali1" tcp dport 80 drop
      oif . iifname { "eth0" . "cali3" } tcp dport 81 drop
      iifname @pods udp dport 53 drop
      iifname vmap @dispatch
      udp dport 55 drop`,
      `set pods {
        type ifname
        flags interval
        elements = { "cali*" }
      }
      map dispatch {
        type ifname : verdict
        elements = { "cali1" : goto one, "cali3" : jump three, "eth0" : return }
      }
      chain one {
        udp dport 54 drop
      }
      chain three {
        udp dport 56 drop
      }`,
    ),
    flows: `
      p1 tcp $p2:80 = dropped
      p3 tcp $p2:80 = p2 $p2:80 < $p3
      p3 tcp $p2:81 = dropped
      p3 tcp $p1:81 = p1 $p1:81 < $p3
      p1 udp $p2:53 = dropped
      p1 udp $p2:54 = dropped
      p3 udp $p2:54 = p2 $p2:54 < $p3`,
  },
  {
    name: 'states: exact or by bits, alone or in a set',
    nft: {
      n1: `table ip t {
        chain nat {
          type nat hook prerouting priority -100;
          ip daddr $svc dnat to $p2
        }
        chain ways {
          type filter hook forward priority 0; policy accept;
          ct status != dnat tcp dport 80 ip daddr $p2 drop
          ct status dnat tcp dport 81 drop
          ct status snat drop
          ct state != { established, new } ct state != related drop
          ct state established,related accept
          ct direction reply drop
          tcp dport 7000 ct original ip daddr $svc drop
          meta l4proto tcp tcp dport 7001 ct original proto-dst != 7001 drop
          ct reply ip saddr $p3 udp dport 53 drop
          udp dport 54 ct state established drop
          tcp dport 7003 ct status seen-reply drop
          ct mark 0x7 drop
        }
      }`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $svc:80 = dropped
      p1 tcp $p2:81 = p2 $p2:81 < $p1
      p1 tcp $svc:81 = dropped
      p1 tcp $p2:7000 = p2 $p2:7000 < $p1
      p1 tcp $svc:7000 = dropped
      p1 tcp $svc:7001 = p2 $p2:7001 < $p1
      p1 udp $p3:53 = dropped
      p1 udp $p2:54 = p2 $p2:54 < $p1
      p1 tcp $p2:7003 = p2 $p2:7003 < $p1
      p1 udp $p2:99 = icmp 3/3 $p2`,
  },
  {
    name: 'marks of packets and connections',
    nft: {
      n1: `table ip t {
        chain pre {
          type filter hook prerouting priority mangle;
          iifname "cali1" meta mark set 0xf0
          iifname "cali1" tcp dport 80 meta mark set meta mark | 0x4001
          iifname "cali1" tcp dport 81 meta mark set meta mark & 0x30 ^ 0x3
          iifname "cali1" tcp dport 82 ct mark set meta mark
          iifname "eth0" meta mark set ct mark
          udp dport 53 meta mark set ip daddr map { $p2 : 0x9, $p3 : 0xa }
        }
        chain ways {
          type filter hook forward priority 0;
          meta mark 0x40f1 drop
          meta mark & 0xf == 0x3 ip daddr $p2 drop
          iifname "eth0" meta mark 0xf0 drop
          meta mark { 0x1-0x8, 0xa } udp dport 53 drop
          meta mark > 0xf0 drop
        }
      }`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = dropped
      p1 tcp $p3:81 = p3 $p3:81 < $p1
      p1 tcp $p2:82 = dropped
      p1 tcp $p3:82 = rst
      p1 udp $p2:53 = p2 $p2:53 < $p1
      p1 udp $p3:53 = dropped`,
  },
  {
    name: 'TCP flags, hop limit, length and DSCP',
    nft: forward(
      `tcp flags & (fin | syn | rst | ack) == syn tcp dport 80 drop
      tcp flags syn / fin,syn tcp dport 81 drop
      tcp flags != syn tcp dport 7001 drop
      tcp flags syn,ack tcp dport 7000 ct direction reply drop
      ip ttl 63 udp dport 53 drop
      tcp flags syn meta length > 1000 drop
      udp dport 55 meta length > 1000 drop
      udp dport 54 ip dscp set af21
      ip dscp af21 udp dport 54 drop`,
    ),
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = dropped
      p1 tcp $p2:7001 = dropped
      p1 tcp $p2:7000 = p2 $p2:7000 < $p1
      p1 udp $p2:53 = dropped
      p1 udp $p2:54 = dropped
      p1 udp $p2:99 = icmp 3/3 $p2`,
  },
  {
    name: 'questions to the routing tables',
    sh: { n1: 'ip route add {198.51.100.0/24|2001:db8:5::/64} dev eth1', ext: 'ip addr add {198.51.100.9/32|2001:db8:5::9/128} dev lo' },
    nft: {
      n1: `table inet t {
        chain pre {
          type filter hook prerouting priority -300;
          iifname != "cali*" fib saddr . iif oif missing tcp dport 80 drop
          fib saddr . iif oif missing drop
          fib daddr type local tcp dport 81 drop
          fib daddr . iif type != local tcp dport 82 fib daddr type local drop
          fib saddr type local drop
          fib daddr oifname "eth0" udp dport 53 drop
          fib daddr oif "cali3" udp dport 54 drop
        }
        chain ways {
          type filter hook forward priority 0;
          fib saddr . iif oif 0 drop
          fib saddr . mark . iif oif 0 drop
          fib saddr oif exists tcp dport 7001 drop
        }
      }`,
    },
    flows: `
      p1 tcp $p2:80 = p2 $p2:80 < $p1
      ext@{198.51.100.9|2001:db8:5::9} tcp $p1:80 = dropped
      p1 tcp $n1:81 = dropped
      p1 tcp $p2:81 = p2 $p2:81 < $p1
      p1 tcp $n1:82 = dropped
      ext tcp $n1:82 = rst
      p1 udp $p2:53 = dropped
      p1 udp $p3:54 = dropped
      p1 tcp $p2:7001 = dropped
      p1 tcp $p2:7000 = p2 $p2:7000 < $p1`,
  },
  {
    name: 'rejections of every kind',
    nft: forward(
      `tcp dport 80 reject with tcp reset
      tcp dport 81 reject
      udp dport 53 reject with icmp type host-unreachable
      udp dport 54 reject with icmpx type no-route
      tcp dport 7000 reject with icmpx type host-unreachable
      tcp dport 7001 reject with {icmpv6|icmp} type port-unreachable
      tcp dport 7001 reject with icmpx type admin-prohibited`,
      '',
      'inet',
    ),
    flows: `
      p1 tcp $p2:80 = rst
      p1 tcp $p2:81 = icmp 3/3 $n1
      p1 udp $p2:53 = icmp 3/1 $n1
      p1 udp $p2:54 = icmp 3/0 $n1
      p1 tcp $p2:7000 = icmp 3/1 $n1
      p1 tcp $p2:7001 = icmp 3/13 $n1`,
  },
  {
    name: 'hashes: with a seed as computed, of a port like dice',
    nft: {
      n1: `table ip t {
        chain pre {
          type nat hook prerouting priority -100;
          ip daddr $svc tcp dport 80 dnat to jhash ip saddr mod 4 seed 0xdeadbeef map { 0 : $p2, 1 : $p3, 2 : $n1, 3 : $ext }
          ip daddr $svc tcp dport 81 dnat to jhash ip saddr . ip daddr . tcp dport mod 4 seed 0x7 map { 0 : $p2, 1 : $p3, 2 : $n1, 3 : $ext }
          ip daddr $svc tcp dport 7001 dnat to jhash ip saddr . tcp sport mod 2 map { 0 : $p2, 1 : $p3 }
          ip daddr $svc udp dport 53 meta mark set jhash ip daddr mod 100 seed 0x5 offset 7
          ip daddr $svc tcp dport 7000 dnat to symhash mod 2 map { 0 : $p2, 1 : $p3 }
        }
      }`,
    },
    flows: `
      p1 tcp $svc:80 = {n1 $n1:80 < $p1|p2 [fd44:2::2]:80 < fd44:1::2}
      p3 tcp $svc:80 = ok
      p1 tcp $svc:81 = ok
      p3 tcp $svc:81 = ok
      p1 tcp x80 $svc:7001 = p2 $p2:7001 < $p1 | p3 $p3:7001 < $p1
      p1 tcp x80 $svc:7000 = p2 $p2:7000 < $p1 | p3 $p3:7000 < $p1`,
  },
])
