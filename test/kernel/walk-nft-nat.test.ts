import { walkSuite } from '../support/netns-suite.ts'

walkSuite('the walk and the kernel: NAT by nft', [
  {
    name: 'OUTPUT keeps the first device, POSTROUTING has the one after DNAT',
    nft: {
      n1: `table ip t {
        chain nat {
          type nat hook output priority -100;
          ip daddr $svc tcp dport { 80, 81 } dnat to $p1:7000
          ip daddr $svc tcp dport 82 dnat to $p2:7001
        }
        chain out {
          type filter hook output priority 0;
          ip daddr $p1 tcp dport 7000 oifname "cali1" drop
          ip daddr $p2 tcp dport 7001 oifname != "eth0" drop
        }
        chain post {
          type filter hook postrouting priority 0;
          ip daddr $p1 oifname "eth0" drop
          ip daddr $p1 meta l4proto tcp ct original proto-dst 81 oifname "cali1" drop
        }
      }`,
    },
    flows: `
      n1 tcp $svc:80 = p1 $p1:7000 < $n1
      n1 tcp $svc:81 = dropped
      n1 tcp $svc:82 = p2 $p2:7001 < $n1`,
  },
  {
    name: 'numgen over a map: shares of the arms, and a gap that matches nothing',
    nft: {
      n1: `table ip t {
        chain pre {
          type nat hook prerouting priority -100;
          ip daddr $svc tcp dport 80 dnat to numgen random mod 3 map { 0 : $p2, 1 : $p3, 2 : $n1 }
          ip daddr $svc tcp dport 81 dnat to numgen random mod 4 map { 0 : $p2 . 7000, 1 : $p3 . 7001 }
          ip daddr $svc tcp dport 81 dnat to $n1
          ip daddr $svc udp dport 53 dnat to numgen inc mod 2 map { 0 : $p2, 1 : $p3 }
          ip daddr $svc2 udp dport 53 numgen random mod 10 < 3 dnat to $p2
          ip daddr $svc2 udp dport 53 dnat to $p3
        }
      }`,
    },
    flows: `
      p1 tcp x120 $svc:80 = p2 $p2:80 < $p1 | p3 $p3:80 < $p1 | n1 $n1:80 < $p1
      p1 tcp x120 $svc:81 = p2 $p2:7000 < $p1 | p3 $p3:7001 < $p1 | n1 $n1:81 < $p1
      p1 udp x60 $svc:53 = p2 $p2:53 < $p1 | p3 $p3:53 < $p1
      p1 udp x120 $svc2:53 = p2 $p2:53 < $p1 | p3 $p3:53 < $p1`,
  },
  {
    name: 'maps of address and port by concatenation, one element with a range of addresses in its key',
    nft: {
      n1: `table ip t {
        map to {
          type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
          elements = { $svc . tcp . 80 : $p2 . 7000, $svc . tcp . 81 : $p3 . 7001 }
        }
        map ways {
          type ipv4_addr . inet_proto . inet_service : verdict
          flags interval
          elements = { $svcs . tcp . 7000-7001 : goto node, $svc2 . tcp . 80 : goto pod }
        }
        chain node {
          dnat to $n1
        }
        chain pod {
          tcp dport 80 dnat to $p2:7002
        }
        chain pre {
          type nat hook prerouting priority -100;
          ip daddr . meta l4proto . th dport vmap @ways
          dnat to ip daddr . ip protocol . th dport map @to
        }
      }`,
    },
    flows: `
      p1 tcp $svc:80 = p2 $p2:7000 < $p1
      p1 tcp $svc:81 = p3 $p3:7001 < $p1
      p1 tcp $svc:7000 = n1 $n1:7000 < $p1
      p1 tcp $svc2:7001 = n1 $n1:7001 < $p1
      p1 tcp $svc2:80 = p2 $p2:7002 < $p1
      p1 tcp $p2:80 = p2 $p2:80 < $p1`,
  },
  {
    name: 'ranges of addresses and ports, prefixes, redirect and masquerade',
    nft: {
      n1: `table ip t {
        chain pre {
          type nat hook prerouting priority -100;
          ip daddr $svc tcp dport 80 dnat to $p2:7000-7001
          ip daddr $svc tcp dport 81 redirect to :7002
          ip daddr $svc udp dport 53 redirect
          ip daddr {10.96.7.0/24|fd96:7::/64} dnat ip prefix to ip daddr map { {10.96.7.0/24|fd96:7::/64} : $pods2 }
        }
        chain out {
          type nat hook output priority -100;
          ip daddr $svc tcp dport 81 redirect to :7003
        }
        chain post {
          type nat hook postrouting priority 100;
          ip daddr $p2 tcp dport 7000 snat to $n1b
          ip daddr $p2 tcp dport 80 masquerade
          ip daddr $p2 tcp dport 81 masquerade to :2000-3000
        }
      }`,
    },
    flows: `
      p1 tcp $svc:80 = p2 $p2:7000 < $n1b
      p1 tcp $svc:81 = {dropped|ok}
      n1 tcp $svc:81 = n1 {127.0.0.1|[::1]}:7003 < $n1
      p1 tcp {10.96.7.2|fd96:7::2}:7001 = p2 $p2:7001 < $p1
      p1 tcp $p2:80 = p2 $p2:80 < $n1
      p1 tcp $p2:81 = p2 $p2:81 < $n1`,
  },
  {
    name: 'source mapping of what arrives at the host itself',
    nft: {
      n1: `table inet t {
        chain in {
          type nat hook input priority 100;
          tcp dport 80 snat ip to $p3
        }
        chain seen {
          type filter hook input priority 0;
          ip saddr $p3 tcp dport 80 drop
        }
      }`,
    },
    flows: `
      p1 tcp $n1:80 = n1 $n1:80 < $p3
      p1 tcp $n1:81 = n1 $n1:81 < $p1`,
  },
  {
    name: 'a rule of inet for the other family does nothing',
    nft: {
      n1: `table inet t {
        chain pre {
          type nat hook prerouting priority -100;
          tcp dport 80 dnat {ip6|ip} to {[fd44:2::2]|10.244.2.2}:7000
          tcp dport { 80, 81 } dnat ip to $p3:7001
        }
      }`,
    },
    flows: `
      p1 tcp $svc:80 = p3 $p3:7001 < $p1
      p1 tcp $svc:81 = p3 $p3:7001 < $p1`,
  },
  {
    name: 'nat of iptables and of nft together',
    nft: {
      n1: `table ip t {
        chain pre {
          type nat hook prerouting priority -101;
          ip daddr $svc tcp dport 80 dnat to $p2
        }
        chain post {
          type nat hook postrouting priority 110;
          ip saddr $p1 masquerade
        }
      }`,
    },
    rules: {
      n1: `nat -A PREROUTING -d $svc/{32|128} -p tcp -j DNAT --to-destination $p3
      nat -A POSTROUTING -s $p1 -d $p3 -j SNAT --to-source $n1b`,
    },
    flows: `
      p1 tcp $svc:80 = p2 $p2:80 < $n1
      p1 tcp $svc:81 = p3 $p3:81 < $n1b
      p1 tcp $p3:80 = p3 $p3:80 < $n1b`,
  },
  {
    name: 'what is not tracked is not translated',
    nft: {
      n1: `table ip t {
        chain raw {
          type filter hook prerouting priority -300;
          ip saddr $p3 notrack
        }
        chain pre {
          type nat hook prerouting priority -100;
          ip daddr $svc dnat to $p2
        }
        chain f {
          type filter hook forward priority 0;
          iifname "cali3" ct state untracked tcp dport 81 drop
          iifname "cali3" ct state != untracked drop
        }
      }`,
    },
    sh: { n1: 'ip route add prohibit $svc' },
    flows: `
      p1 tcp $svc:80 = p2 $p2:80 < $p1
      p3 tcp $svc:80 = icmp 3/13 $n1
      p3 tcp $p2:81 = dropped
      p3 tcp $p2:80 = p2 $p2:80 < $p3`,
  },
  {
    name: 'a packet that comes round again under the host’s own address gets another port each time',
    families: [6],
    sh: { ext: 'sysctl -qw net.ipv6.conf.all.forwarding=1' },
    nft: {
      n1: `table ip t {
        chain post {
          type nat hook postrouting priority 100;
          ip saddr $p1 masquerade fully-random
        }
      }`,
    },
    flows: `
      p1 tcp $svc:80 = dropped
      p1 udp $svc:53 = dropped
      p1 icmp $svc = dropped
      p3 tcp $svc:80 = icmp 11/0 $ext`,
  },
])
