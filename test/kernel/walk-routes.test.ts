import { walkSuite } from '../support/netns-suite.ts'

/** who asks for a neighbour in the name of a source that rp_filter refuses gets no answer, but may have one from before */
const known = 'ip neigh add 172.19.0.11 lladdr 02:00:00:00:01:11 dev eth1 nud permanent'

walkSuite('the walk and the kernel: routes, rules and settings', [
  {
    name: 'routes that refuse: errno here, ICMP or silence elsewhere',
    sh: {
      n1: `ip route add blackhole {10.50.1.0/24|fd50:1::/64}
      ip route add unreachable {10.50.2.0/24|fd50:2::/64}
      ip route add prohibit {10.50.3.0/24|fd50:3::/64}
      ip route add throw {10.50.4.0/24|fd50:4::/64}
      ip route del default`,
    },
    families: [6, 4],
    flows: `
      n1 tcp {10.50.1.1|[fd50:1::1]}:80 = errno EINVAL
      n1 udp {10.50.2.1|[fd50:2::1]}:53 = errno EHOSTUNREACH
      n1 tcp {10.50.3.1|[fd50:3::1]}:80 = errno EACCES
      n1 udp {10.50.4.1|[fd50:4::1]}:53 = errno ENETUNREACH
      n1 icmp {10.50.1.1|fd50:1::1} = errno EINVAL`,
  },
  {
    name: 'routes that refuse what is forwarded',
    sh: {
      n1: `ip route add blackhole {10.50.1.0/24|fd50:1::/64}
      ip route add unreachable {10.50.2.0/24|fd50:2::/64}
      ip route add prohibit {10.50.3.0/24|fd50:3::/64}
      ip route add throw {10.50.4.0/24|fd50:4::/64} table 100
      ip route add blackhole default table 100
      ip rule add to {10.50.4.0/23|fd50:4::/31} lookup 100 pref 100
      ip route add $far via $extb`,
      ext: '{ip addr add 10.50.4.1/32 dev lo|ip -6 addr add fd50:4::1/128 dev lo}',
    },
    flows: `
      p1 tcp {10.50.1.1|[fd50:1::1]}:80 = dropped
      p1 tcp {10.50.2.1|[fd50:2::1]}:80 = icmp {3/1|1/0} $n1
      p1 udp {10.50.3.1|[fd50:3::1]}:53 = icmp 3/13 $n1
      p1 tcp {10.50.4.1|[fd50:4::1]}:80 = ext {10.50.4.1|[fd50:4::1]}:80 < $p1
      p1 udp {10.50.5.1|[fd50:5::1]}:53 = dropped
      p1 tcp $far:80 = ext $far:80 < $p1`,
  },
  {
    name: 'no route at all',
    sh: { n1: 'ip route del default', n2: 'ip route del default' },
    flows: `
      n1 tcp $far:80 = errno ENETUNREACH
      n2 udp $far:53 = errno ENETUNREACH
      p2 udp $far:53 = {icmp 3/1 $p2|icmp 1/0 fd18::12}`,
  },
  {
    name: 'rules: from, to, iif, oif, not, actions, goto',
    sh: {
      n1: `ip rule add from $p3 unreachable pref 100
      ip rule add iif cali1 to $p2 prohibit pref 101
      ip rule add iif cali1 to $n2 blackhole pref 102
      ip rule add not iif cali1 lookup 100 pref 103
      ip route add $ext via $extb dev eth1 table 100
      ip rule add to $n2b goto 200 pref 104
      ip rule add to $n2b blackhole pref 105
      ip rule add nop pref 200
      ip rule add iif lo to $far lookup 101 pref 201
      ip route add default via $extb dev eth1 table 101`,
    },
    rules: { n1: 'nat -A POSTROUTING -o eth1 -j MASQUERADE' },
    flows: `
      p3 tcp $ext:80 = {icmp 3/1 $p3|icmp 1/0 $n1}
      p1 udp $p2:53 = icmp 3/13 $n1
      p1 tcp $n2:80 = dropped
      p1 tcp $ext:80 = ext $ext:80 < $p1
      n1 tcp $ext:80 = ext $ext:80 < $n1b
      p1 tcp $n2b:80 = n2 $n2b:80 < $n1b
      n1 tcp $far:80 = ext $far:80 < $n1b
      p1 tcp $far:80 = ext $far:80 < $p1
      p3 udp $n1:53 = {icmp 3/1 $p3|n1 $n1:53 < $p3}`,
  },
  {
    name: 'suppress_prefixlength takes the default route away',
    sh: {
      n1: `ip rule add lookup main suppress_prefixlength 0 pref 100
      ip rule add not fwmark 0x100000/0x100000 lookup 102 pref 101
      ip route add default via $extb table 102`,
    },
    rules: { n1: 'nat -A POSTROUTING -j MASQUERADE\nmangle -A PREROUTING -p udp -j MARK --set-xmark 0x100000/0x100000' },
    flows: `
      p1 tcp $p3:80 = ok
      p1 tcp $far:80 = ext $far:80 < $n1b
      p1 udp $far:53 = ext $far:53 < $n1
      p1 tcp $ext:80 = ext $ext:80 < $n1
      n1 tcp $far:80 = ext $far:80 < $n1b`,
  },
  {
    name: 'rules by protocol and port',
    sh: {
      n1: `ip rule add iif cali1 ipproto tcp dport 81 prohibit pref 100
      ip rule add iif cali1 ipproto udp dport 53-54 unreachable pref 101
      ip rule add iif cali1 sport 1-1000 blackhole pref 102`,
    },
    flows: `
      p1 tcp $p2:81 = icmp 3/13 $n1
      p1 tcp $p2:80 = p2 $p2:80 < $p1
      p1 udp $p2:54 = icmp 3/0 $n1
      p1 udp $p2:7000 = p2 $p2:7000 < $p1`,
  },
  {
    name: 'multipath: both arms are used',
    sh: {
      n1: `{sysctl -qw net.ipv4.fib_multipath_hash_policy=1|sysctl -qw net.ipv6.fib_multipath_hash_policy=1}
      ip route add $far nexthop via $ext dev eth0 weight 3 nexthop via $extb dev eth1 weight 1`,
    },
    rules: { n1: 'nat -A POSTROUTING -j MASQUERADE' },
    flows: 'p1 udp x300 $far:53 = ext $far:53 < $n1 | ext $far:53 < $n1b',
  },
  {
    name: 'source addresses: prefsrc, routes without an address on their device, own addresses',
    sh: {
      n1: `ip {|-6} addr add {192.0.2.7/32|2001:db8:7::7/128} dev lo {|nodad}
      ip route add $far via $ext src {192.0.2.7|2001:db8:7::7}`,
      ext: 'ip route add {192.0.2.7|2001:db8:7::7} via $n1',
    },
    flows: `
      n1 tcp $far:80 = ext $far:80 < {192.0.2.7|2001:db8:7::7}
      n1 tcp $p1:80 = ok
      n1 udp $extb:53 = ext $extb:53 < $n1b
      n1 tcp $n1b:80 = n1 $n1b:80 < $n1b
      n1 tcp {192.0.2.7|[2001:db8:7::7]}:80 = n1 {192.0.2.7|[2001:db8:7::7]}:80 < {192.0.2.7|2001:db8:7::7}
      n1 tcp {127.0.0.1|[::1]}:80 = n1 {127.0.0.1|[::1]}:80 < {127.0.0.1|::1}`,
  },
  {
    name: "one of the receiver's own addresses as source: ARP is not answered",
    sh: {
      ext: 'ip {|-6} addr add $n1b/{32|128} dev eth0 {|nodad preferred_lft 0}',
      p1: 'ip {|-6} addr add $n1/{32|128} dev eth0 {|nodad preferred_lft 0}',
    },
    families: [4],
    flows: `
      p1@$n1 udp $n1b:53 = icmp 3/1 $n1
      p1@$n1 tcp $p2:80 = icmp 3/1 $n1`,
  },
  {
    name: 'an address of another device: ARP answers for it, neighbour discovery does not',
    sh: { n1: 'ip {|-6} addr add {172.18.0.50/32|fd18::50/128} dev lo' },
    flows: `
      ext tcp {172.18.0.50|[fd18::50]}:80 = {n1 172.18.0.50:80 < $ext|icmp 3/1 $ext}
      ext tcp $n1b:80 = n1 $n1b:80 < $extb`,
  },
  {
    name: 'neighbour discovery: who was asked knows the asker, and need not ask',
    families: [6],
    rules: { n1: 'filter -A OUTPUT -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j DROP' },
    flows: `
      p1 tcp $n1:80 = n1 $n1:80 < $p1
      p3 tcp $p2:80 = icmp 3/1 $n1`,
  },
  {
    name: 'time exceeded and packet too big: in the name of an address for the device that the packet came in by',
    families: [6],
    sh: { n1: 'ip addr add $vtep1/128 dev lo; ip link set eth0 mtu 1400', p1: 'sysctl -qw net.ipv6.conf.eth0.hop_limit=1' },
    flows: `
      p1 tcp $ext:80 = icmp 11/0 $vtep1
      p3 udp size 1401 $ext:53 = icmp 3/4 $vtep1`,
  },
  {
    name: 'an error goes by a route that was looked up without its source, of IPv6 with it',
    sh: { n1: 'ip {|-6} rule add pref 100 from $lan unreachable' },
    flows: 'ext tcp $p1:80 = {icmp 3/0 $n1|dropped}',
  },
  {
    name: 'rp_filter strict on one device',
    families: [4],
    sh: {
      n1: 'sysctl -qw net.ipv4.conf.eth1.rp_filter=1',
      ext: `${known}; ip route add 10.244.1.2 via 172.19.0.11; ip route add 10.244.1.3 via 172.19.0.11 src 203.0.113.10`,
    },
    flows: `
      ext tcp $p1:80 = p1 $p1:80 < $extb
      ext@$ext tcp $p1:80 = dropped
      ext udp $p3:53 = dropped
      p1 udp $ext:53 = dropped
      p1 udp $extb:53 = ext $extb:53 < $p1`,
  },
  {
    name: 'rp_filter also keeps ARP from being answered',
    families: [4],
    sh: { n1: 'sysctl -qw net.ipv4.conf.eth1.rp_filter=1' },
    flows: 'ext@$ext udp $n1b:53 = icmp 3/1 $ext',
  },
  {
    name: 'rp_filter: the larger of all and the device, loose',
    families: [4],
    sh: {
      n1: 'sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.eth1.rp_filter=2; ip route del default',
      ext: `${known}; ip route add 10.244.1.2 via 172.19.0.11`,
    },
    flows: `
      ext@$ext udp $n1b:53 = n1 $n1b:53 < $ext
      ext@$far udp $n1b:53 = dropped
      n1 udp $n1:53 = n1 $n1:53 < $n1
      p2 tcp $n1:80 = n1 $n1:80 < $p2`,
  },
  {
    name: 'rp_filter and src_valid_mark',
    families: [4],
    sh: {
      n1: `sysctl -qw net.ipv4.conf.eth0.rp_filter=1 net.ipv4.conf.eth1.rp_filter=1 net.ipv4.conf.eth1.src_valid_mark=1
      ip rule add fwmark 0x10 lookup 100
      ip route add 172.18.0.100 dev eth1 table 100`,
      ext: known,
    },
    rules: { n1: 'mangle -A PREROUTING -i eth1 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x10/0xffffffff' },
    flows: `
      ext@$ext tcp $n1b:80 = n1 $n1b:80 < $ext
      ext@$ext tcp $n1b:81 = dropped
      ext@$extb tcp $n1b:81 = n1 $n1b:81 < $extb
      ext tcp $n1:80 = n1 $n1:80 < $ext`,
  },
  {
    name: 'forwarding off for one device and for all',
    sh: {
      n1: '{sysctl -qw net.ipv4.conf.eth0.forwarding=0|true}',
      n2: 'sysctl -qw {net.ipv4.ip_forward=0|net.ipv6.conf.all.forwarding=0}',
    },
    flows: `
      p1 tcp $p3:80 = p3 $p3:80 < $p1
      ext tcp $p1:80 = {dropped|p1 $p1:80 < $ext}
      ext tcp $p2:80 = dropped
      ext tcp $n2:80 = n2 $n2:80 < $ext`,
  },
  {
    name: 'a forwarding router that is told not to',
    sh: { n2: 'sysctl -qw {net.ipv4.conf.cali2.forwarding=0|net.ipv6.conf.all.forwarding=0}' },
    flows: 'p2 tcp $p1:80 = {icmp 3/1 $p2|dropped}\next tcp $p2:80 = dropped',
  },
  {
    name: 'route_localnet',
    families: [4],
    sh: { n2: 'sysctl -qw net.ipv4.conf.eth0.route_localnet=1' },
    rules: {
      n1: 'nat -A PREROUTING -p tcp -m tcp --dport 80 -d $n1 -j DNAT --to-destination 127.0.0.1',
      n2: 'nat -A PREROUTING -p tcp -m tcp --dport 80 -d $n2 -j DNAT --to-destination 127.0.0.1',
    },
    flows: `
      ext tcp $n1:80 = dropped
      ext tcp $n2:80 = n2 127.0.0.1:80 < $ext`,
  },
  {
    name: 'a loop until the TTL ends',
    sh: { n1: 'ip route add $svc via $n2', n2: 'ip route add $svc via $n1' },
    flows: `
      p1 tcp $svc:80 = icmp 11/0 $n2
      ext udp $svc:53 = icmp 11/0 $n2
      n1 udp $svc:53 = {dropped|icmp 11/0 $n1}
      n2 tcp $svc:80 = {dropped|icmp 11/0 $n2}`,
  },
])
