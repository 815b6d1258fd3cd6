/** Packets of named sizes, with DF. What a host learns about the way to an address it keeps in mind: no case may ask twice for what is told once. */
import { walkSuite } from '../support/netns-suite.ts'

const small = (device: string, mtu: number) => `ip link set ${device} mtu ${mtu}`
const tooBig = '{-p icmp -m icmp --icmp-type 3/4|-p ipv6-icmp -m icmp6 --icmpv6-type 2/0}'

/** a tunnel as in walk-vxlan.test.ts; the outer packets are of the case's own family */
const tunnel = (n: 1 | 2, far: 1 | 2, options = '') => `
  ip link add vxlan.calico address 66:00:00:00:00:0${n} type vxlan id 4096 dev eth0 local $n${n} dstport 4789 nolearning {|udp6zerocsumrx} ${options}
  ip link set vxlan.calico mtu {1450|1430} up
  ip {|-6} addr add $vtep${n}/{32|128} dev vxlan.calico {|nodad}
  ip {|-6} neigh add $vtep${far} lladdr 66:00:00:00:00:0${far} dev vxlan.calico nud permanent
  bridge fdb add 66:00:00:00:00:0${far} dev vxlan.calico dst $n${far}
  ip route del $pods${far}
  ip route add $pods${far} via $vtep${far} dev vxlan.calico onlink`

walkSuite('the walk and the kernel: MTU', [
  {
    name: 'a router tells the sender before its own rules are asked',
    sh: { n1: small('eth0', 1400) },
    rules: { n1: 'filter -A FORWARD -p udp -m udp --dport 54 -j DROP' },
    flows: `
      p1 udp size 1400 $p2:53 = p2 $p2:53 < $p1
      p3 icmp size 1400 $p2 = ok
      p1 udp size 1401 $n2:54 = icmp 3/4 $n1
      p3 udp size 1401 $ext:53 = icmp 3/4 $n1
      p1 icmp size 1401 $ext = icmp 3/4 $n1`,
  },
  {
    name: 'what the router says is lost in its own rules',
    sh: { n1: small('eth0', 1400) },
    rules: { n1: `filter -A OUTPUT ${tooBig} -j DROP` },
    flows: 'p1 udp size 1401 $p2:53 = dropped\np3 udp size 1400 $p2:53 = p2 $p2:53 < $p3',
  },
  {
    name: 'what the router says does not get past the client’s node',
    sh: { n2: small('cali2', 1400) },
    rules: { n1: `filter -A FORWARD ${tooBig} -j DROP` },
    flows: 'p1 udp size 1401 $p2:53 = dropped\next udp size 1401 $p2:53 = icmp 3/4 $n2',
  },
  {
    name: 'a device takes four bytes more than it sends, and says nothing',
    sh: { n1: small('eth0', 1400), p3: small('eth0', 1300) },
    flows: `
      p2 udp size 1404 $p1:53 = p1 $p1:53 < $p2
      p2 udp size 1405 $p1:54 = dropped
      n2 icmp size 1404 $n1 = ok
      n2 icmp size 1405 $n1b = ok
      n2 udp size 1405 $n1:53 = dropped
      p1 udp size 1304 $p3:53 = p3 $p3:53 < $p1
      p1 udp size 1305 $p3:54 = dropped
      n1 udp size 1305 $p3:53 = dropped`,
  },
  {
    name: 'a sender with a small device is told at once',
    sh: { n1: small('eth0', 1400), p1: small('eth0', 1300) },
    flows: `
      n1 udp size 1401 $ext:53 = errno EMSGSIZE
      n1 udp size 1400 $ext:53 = ext $ext:53 < $n1
      n1 icmp size 1401 $n2 = errno EMSGSIZE
      p1 udp size 1301 $p3:53 = errno EMSGSIZE
      p1 icmp size 1300 $p3 = ok
      p1 udp size 1400 $p1:53 = p1 $p1:53 < $p1`,
  },
  {
    name: 'the MTU of a route comes before that of its device',
    sh: { n1: 'ip route add $far via $ext mtu 1300\nip route change $pods2 via $n2 mtu lock 1310' },
    flows: `
      n1 udp size 1301 $far:53 = errno EMSGSIZE
      n1 udp size 1300 $far:53 = ext $far:53 < $n1
      p1 udp size 1301 $far:53 = icmp 3/4 $n1
      p1 udp size 1310 $p2:53 = p2 $p2:53 < $p1
      p3 udp size 1311 $p2:53 = icmp 3/4 $n1
      n1 udp size 1311 $p2:53 = errno EMSGSIZE`,
  },
  {
    name: 'a route that claims more than the wire carries',
    sh: { n1: 'ip route add $far via $ext mtu 9000' },
    flows: 'n1 udp size 1505 $far:53 = dropped\nn1 udp size 1501 $ext:53 = errno EMSGSIZE',
  },
  {
    name: 'what IPv6 sends in one piece may be set by itself',
    families: [6],
    sh: { n1: 'sysctl -qw net.ipv6.conf.eth0.mtu=1400' },
    flows: 'p1 udp size 1401 $p2:53 = icmp 3/4 $n1\nn1 udp size 1401 $p2:53 = errno EMSGSIZE\np3 udp size 1400 $p2:53 = p2 $p2:53 < $p3',
  },
  {
    name: 'behind a translation',
    sh: { n1: 'ip route change $pods2 via $n2 mtu 1300' },
    rules: {
      n1: `nat -A PREROUTING -d $svc -p udp -j DNAT --to-destination $p2
        nat -A OUTPUT -d $svc -p udp -j DNAT --to-destination $p2
        nat -A POSTROUTING -o eth0 -j MASQUERADE`,
    },
    flows: `
      p1 udp size 1300 $svc:53 = p2 $p2:53 < $n1
      p3 udp size 1301 $svc:53 = icmp 3/4 $svc
      n1 udp size 1301 $svc:53 = icmp 3/4 $svc`,
  },
  {
    name: 'pings are answered in one piece or in several',
    sh: { p2: small('eth0', 1300), n2: small('cali2', 1500) },
    flows: 'p1 icmp size 1304 $p2 = ok\np3 icmp size 1305 $p2 = dropped\nn2 icmp size 1304 $p2 = ok',
  },
  {
    name: 'VXLAN: longer than the tunnel',
    sh: { n1: tunnel(1, 2), n2: tunnel(2, 1) },
    flows: `
      p1 udp size {1450|1430} $p2:53 = p2 $p2:53 < $p1
      p3 udp size {1451|1431} $p2:53 = icmp 3/4 {$n1|$vtep1}
      n1 udp size {1451|1431} $p2:53 = errno EMSGSIZE
      n2 icmp size {1450|1430} $p1 = ok`,
  },
  {
    name: 'VXLAN: the far end takes less',
    sh: { n1: tunnel(1, 2), n2: `${tunnel(2, 1)}\n${small('eth0', 1400)}` },
    flows: `
      p1 udp size {1354|1334} $p2:53 = p2 $p2:53 < $p1
      p3 udp size {1355|1335} $p2:53 = dropped
      p2 udp size {1350|1330} $p1:53 = p1 $p1:53 < $p2`,
  },
  {
    name: 'VXLAN: the near end can send less, in fragments',
    families: [4],
    sh: { n1: tunnel(1, 2), n2: `${tunnel(2, 1)}\n${small('eth0', 1400)}` },
    flows: 'p2 udp size 1450 $p1:53 = p1 $p1:53 < $p2\nn2 udp size 1351 $p3:53 = p3 $p3:53 < $vtep2',
  },
  {
    name: 'VXLAN: the near end can send less, and may not cut',
    families: [6],
    sh: { n1: tunnel(1, 2), n2: `${tunnel(2, 1)}\n${small('eth0', 1400)}` },
    flows: 'p2 udp size 1331 $p1:53 = dropped\nn2 udp size 1331 $p3:53 = dropped\np2 udp size 1330 $n1b:54 = n1 $n1b:54 < $p2',
  },
  {
    name: 'VXLAN with DF',
    families: [4],
    sh: { n1: tunnel(1, 2, 'df inherit'), n2: `${tunnel(2, 1, 'df set')}\n${small('eth0', 1400)}\n${small('cali2', 1500)}` },
    flows: 'p2 udp size 1351 $p1:53 = dropped\np2 udp size 1350 $p3:53 = p3 $p3:53 < $p2\np2 tcp $p1:80 = p1 $p1:80 < $p2',
  },
])
