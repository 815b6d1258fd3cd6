import { walkSuite } from '../support/netns-suite.ts'
import { bridged, everybody, off } from './bridged.ts'

walkSuite('the walk and the kernel: pods behind a bridge', [
  { name: 'all reach each other, through the tables', sh: bridged(), flows: everybody },
  { name: 'and past the tables', sh: bridged(off), flows: everybody },
  {
    name: 'what stays on the bridge is filtered where br_netfilter calls',
    sh: bridged(),
    rules: { n1: 'filter -A FORWARD -i cni0 -o cni0 -p udp -j DROP\nfilter -A FORWARD -i cni0 -o cni0 -p tcp --dport 81 -j REJECT' },
    flows: `
      p1 udp $p3:53 = dropped
      p1 tcp $p3:80 = p3 $p3:80 < $p1
      p1 tcp $p3:81 = icmp 3/3 $gw1`,
  },
  {
    name: 'and is not where it does not',
    sh: bridged(off),
    rules: { n1: 'filter -P FORWARD DROP' },
    flows: `
      p1 tcp $p3:80 = p3 $p3:80 < $p1
      p1 tcp $p2:80 = dropped`,
  },
  {
    name: 'a switch of the bridge alone is enough',
    sh: bridged(`${off}\nip link set cni0 type bridge {nf_call_iptables|nf_call_ip6tables} 1`),
    rules: { n1: 'filter -A FORWARD -i cni0 -o cni0 -p udp -j DROP' },
    flows: `
      p1 udp $p3:53 = dropped
      p1 tcp $p3:80 = p3 $p3:80 < $p1`,
  },
  {
    name: 'hairpin mode lets a pod reach itself',
    sh: bridged('ip link set cali3 type bridge_slave hairpin on'),
    rules: {
      n1: 'nat -A PREROUTING -d $svc -p tcp --dport 80 -j DNAT --to-destination $p3:7000\nnat -A POSTROUTING -s $p3 -d $p3 -j MASQUERADE',
    },
    flows: `
      p1 tcp $svc:80 = p3 $p3:7000 < $p1
      p3 tcp $svc:80 = p3 $p3:7000 < $gw1`,
  },
  {
    name: 'isolated ports',
    sh: bridged('ip link set cali1 type bridge_slave isolated on\nip link set cali3 type bridge_slave isolated on'),
    rules: { n1: 'nat -A PREROUTING -d $svc -p tcp --dport 80 -j DNAT --to-destination $p3:7000' },
    flows: `
      p1 tcp $p3:80 = icmp 3/1 $p1
      p1 tcp $svc:80 = dropped
      p1 tcp $p2:80 = p2 $p2:80 < $p1
      n1 tcp $p3:80 = p3 $p3:80 < $gw1`,
  },
  {
    name: 'ports by name',
    sh: bridged(),
    rules: {
      n1: `
        filter -A FORWARD -m physdev --physdev-in cali1 --physdev-out cali3 -p tcp --dport 80 -j DROP
        filter -A FORWARD -m physdev --physdev-in cali+ -o eth0 -p tcp --dport 81 -j DROP
        filter -A FORWARD -m physdev ! --physdev-is-bridged -p tcp --dport 7001 -j DROP
        filter -A FORWARD -m physdev --physdev-is-bridged -p tcp --dport 7002 -j DROP
        filter -A FORWARD -m physdev --physdev-is-out -p udp --dport 54 -j DROP
        filter -A INPUT -m physdev --physdev-in cali3 -p tcp --dport 80 -j DROP`,
    },
    flows: `
      p1 tcp $p3:80 = dropped
      p3 tcp $p1:80 = p1 $p1:80 < $p3
      p1 tcp $p2:81 = dropped
      p1 tcp $p3:81 = p3 $p3:81 < $p1
      p1 tcp $p3:7001 = p3 $p3:7001 < $p1
      p1 tcp $p2:7001 = dropped
      p1 tcp $p3:7002 = dropped
      p1 tcp $p2:7002 = p2 $p2:7002 < $p1
      p1 udp $p3:54 = dropped
      p1 udp $p2:54 = p2 $p2:54 < $p1
      p3 tcp $gw1:80 = dropped
      p1 tcp $gw1:80 = n1 $gw1:80 < $p1`,
  },
  {
    name: 'devices that nft sees',
    sh: bridged(),
    nft: {
      n1: `table inet t {
        chain f {
          type filter hook forward priority 0
          iifname "cni0" oifname "cni0" tcp dport 80 drop
          iifname "cali1" drop
        }
        chain p {
          type filter hook postrouting priority 0
          iifname "cni0" tcp dport 81 drop
        }
      }`,
    },
    flows: `
      p1 tcp $p3:80 = dropped
      p1 tcp $p3:81 = p3 $p3:81 < $p1
      p1 tcp $p2:81 = dropped
      p1 tcp $p2:80 = p2 $p2:80 < $p1`,
  },
  {
    name: 'sent off the bridge, or onto it',
    sh: bridged(),
    rules: {
      n1: `
        nat -A PREROUTING -d $p3 -p tcp --dport 81 -j DNAT --to-destination $p2:80
        nat -A PREROUTING -d $p2 -p tcp --dport 81 -j DNAT --to-destination $p3:80`,
    },
    flows: `
      p1 tcp $p3:81 = p2 $p2:80 < $p1
      p1 tcp $p2:81 = p3 $p3:80 < $p1`,
  },
  {
    name: 'marks and connections',
    sh: bridged('ip rule add fwmark 0x1 lookup 77\nip route add unreachable default table 77'),
    rules: {
      n1: `
        mangle -A PREROUTING -p tcp --dport 80 -j MARK --set-mark 0x1
        filter -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
        filter -A FORWARD -m mark --mark 0x1 -j ACCEPT
        filter -A FORWARD -p tcp -j DROP`,
    },
    flows: `
      p1 tcp $p3:80 = p3 $p3:80 < $p1
      p1 tcp $p3:81 = dropped`,
  },
  {
    name: 'frames that are too long are dropped without a word',
    sh: bridged(`${off}\nip link set cali3 mtu 1400`, { p3: 'ip link set eth0 mtu 1400' }),
    flows: `
      p1 udp size 1404 $p3:53 = p3 $p3:53 < $p1
      p1 udp size 1405 $p3:53 = dropped`,
  },
  {
    name: 'and by netfilter as a router does, if of IPv6',
    sh: bridged('ip link set cali3 mtu 1400', { p3: 'ip link set eth0 mtu 1400' }),
    flows: `
      p1 udp size 1400 $p3:53 = p3 $p3:53 < $p1
      p1 udp size 1404 $p3:54 = {dropped|icmp 2/0 $gw1}`,
  },
  {
    name: 'ingress and egress of ports and bridge',
    sh: bridged(),
    nft: {
      n1: `table netdev t {
        chain a { type filter hook ingress device "cali1" priority 0; tcp dport 80 drop; }
        chain b { type filter hook egress device "cali3" priority 0; tcp dport 81 drop; }
        chain c { type filter hook ingress device "cni0" priority 0; tcp dport { 7000, 7001 } drop; }
      }`,
    },
    flows: `
      p1 tcp $p3:80 = dropped
      p1 tcp $p2:80 = dropped
      p3 tcp $p1:80 = p1 $p1:80 < $p3
      p1 tcp $p3:81 = dropped
      n1 tcp $p3:81 = dropped
      p1 tcp $p3:7000 = p3 $p3:7000 < $p1
      p1 tcp $p2:7000 = dropped`,
  },
  {
    name: 'forwarding is off: what stays on the bridge needs none',
    sh: bridged('sysctl -qw net.ipv4.ip_forward=0'),
    rules: { n1: 'nat -A PREROUTING -d $svc -p tcp --dport 80 -j DNAT --to-destination $p3:7000' },
    families: [4],
    flows: `
      p1 tcp $p3:80 = p3 $p3:80 < $p1
      p1 tcp $svc:80 = dropped
      p1 tcp $p2:80 = dropped`,
  },
  {
    name: 'forwarding is off: what is given another destination is not followed',
    sh: bridged('sysctl -qw net.ipv6.conf.all.forwarding=0'),
    rules: { n1: 'nat -A PREROUTING -d $svc -p tcp --dport 80 -j DNAT --to-destination $p3:7000' },
    families: [6],
    flows: `
      p1 tcp $p3:80 = p3 $p3:80 < $p1
      p1 tcp $svc:80 = undecided`,
  },
  {
    name: 'ports that are not forwarding, or off',
    sh: bridged('ip link set cali3 type bridge_slave state 1'),
    flows: `
      p1 tcp $p3:80 = icmp 3/1 $p1
      n1 tcp $p3:80 = icmp 3/1 $gw1
      p2 tcp $p3:80 = icmp 3/1 $n1
      p1 tcp $gw1:80 = n1 $gw1:80 < $p1`,
  },
  {
    name: 'what if br_netfilter were told otherwise',
    sh: bridged(off),
    rules: { n1: 'nat -A PREROUTING -d $svc -p tcp --dport 80 -j DNAT --to-destination $p3:7000' },
    later: { n1: 'sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1' },
    suppose: { sysctl: ['net.bridge.bridge-nf-call-{iptables|ip6tables}=1@n1'] },
    flows: 'p1 tcp $svc:80 = p3 $p3:7000 < $p1',
  },
  {
    name: 'a node whose uplink is a bridge',
    sh: {
      n1: `
        sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1
        ip link add br0 index 40 address 02:00:00:00:0a:40 type bridge mcast_snooping 0
        ip addr flush dev eth0
        ip -6 addr flush dev eth0
        ip route flush dev eth0
        ip link set eth0 master br0
        ip addr add $n1/{24|64 nodad} dev br0
        ip addr add fe80::40/64 dev br0 nodad
        ip link set br0 up
        ip route add $pods2 via $n2
        ip route add default via $ext`,
    },
    rules: {
      n1: `
        nat -A PREROUTING -d $n1 -p tcp --dport 7001 -j DNAT --to-destination $p1:80
        filter -A FORWARD -m physdev --physdev-in eth0 -p tcp --dport 81 -j DROP
        filter -A INPUT -m physdev --physdev-in eth0 -p tcp --dport 81 -j REJECT`,
    },
    flows: `
      ext tcp $n1:80 = n1 $n1:80 < $ext
      ext tcp $n1:81 = icmp 3/3 $n1
      ext tcp $n1:7001 = p1 $p1:80 < $ext
      ext tcp $p1:81 = dropped
      p1 tcp $p2:80 = p2 $p2:80 < $p1
      p2 tcp $p1:80 = p1 $p1:80 < $p2
      n1 tcp $n2:80 = n2 $n2:80 < $n1`,
  },
])
