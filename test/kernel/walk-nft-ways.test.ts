import { walkSuite } from '../support/netns-suite.ts'

const mac1 = '66:00:00:00:00:01'
const mac2 = '66:00:00:00:00:02'

/** one end of a VXLAN tunnel as Felix makes it */
const tunnel = (n: 1 | 2, far: 1 | 2) => `
  ip link add vxlan.calico address ${n === 1 ? mac1 : mac2} type vxlan id 4096 dev eth0 local $n${n} dstport 4789 nolearning {|udp6zerocsumrx}
  ip link set vxlan.calico mtu 1400 up
  ip {|-6} addr add $vtep${n}/{32|128} dev vxlan.calico {|nodad}
  ip {|-6} neigh add $vtep${far} lladdr ${far === 1 ? mac1 : mac2} dev vxlan.calico nud permanent
  bridge fdb add ${far === 1 ? mac1 : mac2} dev vxlan.calico dst $n${far}
  ip route del $pods${far}
  ip route add $pods${far} via $vtep${far} dev vxlan.calico onlink`

walkSuite('the walk and the kernel: ways through nft', [
  {
    name: 'over loopback: hooks, devices and the connection stay',
    nft: {
      n1: `table inet t {
        chain nat {
          type nat hook output priority -100;
          ip daddr $svc tcp dport 80 dnat ip to $n1:7000
          ip daddr $svc tcp dport 81 dnat ip to $n1:7001
        }
        chain again {
          type nat hook prerouting priority -100;
          tcp dport 7000 dnat ip to $p2
        }
        chain post {
          type filter hook postrouting priority 0;
          iifname "lo" drop
          oifname "lo" tcp dport 7001 drop
        }
        chain pre {
          type filter hook prerouting priority 0;
          iifname "lo" ct status dnat tcp dport 7000 meta mark set 0x3
          iifname "lo" fib saddr . iif oif missing drop
          iif "lo" tcp dport 82 drop
        }
        chain in {
          type filter hook input priority 0;
          iifname "lo" tcp dport 7000 meta mark != 0x3 drop
          iifname "lo" tcp dport 7002 oifname != "l*" drop
        }
      }`,
    },
    flows: `
      n1 tcp $svc:80 = n1 $n1:7000 < $n1
      n1 tcp $svc:81 = dropped
      n1 tcp $n1:82 = dropped
      n1 tcp $n1:7000 = dropped
      n1 tcp $n1:7002 = dropped
      n1 tcp $n1:7003 = n1 $n1:7003 < $n1
      p1 tcp $n1:7000 = p2 $p2:7000 < $p1`,
  },
  {
    name: 'rejected before routing, on the way out, and in the sender’s own OUTPUT',
    nft: {
      n1: `table ip t {
        chain pre {
          type filter hook prerouting priority 0;
          tcp dport 80 reject with tcp reset
          udp dport 53 ip daddr $p2 reject
          udp dport 53 ip daddr $n1 reject with icmp type host-unreachable
        }
        chain out {
          type filter hook output priority 0;
          tcp dport 81 reject with tcp reset
          udp dport 54 reject
        }
        chain in {
          type filter hook input priority 0;
          tcp dport 82 reject
          tcp dport 7000 reject with tcp reset
        }
      }`,
    },
    flows: `
      p1 tcp $p2:80 = rst
      p1 tcp $n1:80 = rst
      p1 udp $p2:53 = icmp 3/3 $n1
      p1 udp $n1:53 = icmp 3/1 $n1
      ext@$extb udp $n1:53 = icmp 3/1 {$n1b|$n1}
      n1 tcp $p2:81 = rst
      n1 udp $p2:54 = icmp 3/3 $n1
      p1 tcp $n1:82 = icmp 3/3 $n1
      p1 tcp $n1:7000 = rst`,
  },
  {
    name: 'the tunnel packet passes the hooks, with the mark of the packet inside',
    sh: { n1: tunnel(1, 2), n2: tunnel(2, 1) },
    nft: {
      n1: `table inet t {
        chain ways {
          type filter hook forward priority 0;
          oifname "vxlan.calico" tcp dport 80 meta mark set 0x40
          oifname "vxlan.calico" udp dport 53 meta mark set 0x20
        }
        chain raw {
          type filter hook output priority raw;
          udp dport 4789 notrack
        }
        chain out {
          type filter hook output priority 0;
          udp dport 4789 meta mark 0x40 drop
          udp dport 4789 ct state != untracked drop
          udp dport 4789 oifname "vxlan.calico" drop
        }
      }`,
      n2: `table ip t {
        chain pre {
          type filter hook prerouting priority raw;
          meta mark != 0 drop
          udp dport 4789 iifname != "eth0" drop
        }
        chain in {
          type filter hook input priority 0;
          udp dport 4789 ip saddr != $n1 drop
        }
        chain ways {
          type filter hook forward priority 0;
          iifname "vxlan.calico" tcp dport 7000 drop
        }
      }`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = p2 $p2:81 < $p1
      p1 tcp $p2:7000 = dropped
      p1 udp $p2:53 = p2 $p2:53 < $p1
      n1 tcp $p2:81 = p2 $p2:81 < $vtep1`,
  },
  {
    name: 'an answer without its question, an end of the handshake without its middle',
    sh: { n1: 'ip route add $ext via $n2b dev eth1' },
    nft: {
      n2: `table inet t {
        chain ways {
          type filter hook forward priority 0;
          ct state invalid drop
        }
      }`,
    },
    flows: `
      ext tcp $p1:80 = dropped
      ext udp $p1:53 = p1 $p1:53 < $ext
      ext tcp $p2:80 = p2 $p2:80 < $ext`,
  },
  {
    name: 'the answer is dropped where nothing lets it back',
    nft: {
      n1: `table inet t {
        chain ways {
          type filter hook forward priority 0; policy drop;
          iifname "cali1" accept
          meta l4proto udp ct state established accept
          ct state related accept
        }
      }`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 udp $p2:53 = p2 $p2:53 < $p1
      p1 udp $p2:99 = icmp 3/3 $p2
      p3 tcp $p2:80 = dropped`,
  },
  {
    name: 'rules in the pod itself',
    nft: {
      p1: `table inet t {
        chain out {
          type filter hook output priority 0;
          tcp dport 80 drop
          udp dport 53 reject
        }
      }`,
      p2: `table inet t {
        chain in {
          type filter hook input priority 0;
          tcp dport 81 reject with tcp reset
          udp dport 54 drop
        }
      }`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = rst
      p1 udp $p2:53 = icmp 3/3 $p1
      p1 udp $p2:54 = dropped
      p1 tcp $p2:7000 = p2 $p2:7000 < $p1`,
  },
  {
    name: 'neighbour discovery under a policy of nft',
    families: [6],
    nft: {
      n1: `table inet t {
        chain in {
          type filter hook input priority 0; policy drop;
          iifname "cali1" icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
          iifname "eth*" accept
          iifname "lo" accept
        }
      }`,
    },
    flows: `
      p1 tcp $p2:80 = p2 $p2:80 < $p1
      p1 tcp $n1:80 = dropped`,
  },
  {
    name: 'a chain of many rules, of which each asks for one address',
    nft: {
      n1: `table inet t {
        chain ways {
          type filter hook forward priority 0;
          ${Array.from({ length: 60 }, (_, i) => `ip daddr {10.9.0.${i}|fd09::${i}} drop`).join('\n')}
          ip daddr $p2 tcp dport 80 drop
          ip daddr $p3 meta mark set 0x1
          iifname "cali1" tcp dport 81 drop
          meta mark 0x1 udp dport 53 drop
        }
      }`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p3:80 = p3 $p3:80 < $p1
      p1 tcp $p2:81 = dropped
      p3 tcp $p2:81 = p2 $p2:81 < $p3
      p1 udp $p3:53 = dropped
      p1 udp $p2:53 = p2 $p2:53 < $p1`,
  },
])
