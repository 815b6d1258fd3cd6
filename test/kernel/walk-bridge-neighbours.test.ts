import { walkSuite } from '../support/netns-suite.ts'
import { bridged, everybody, greetings, off } from './bridged.ts'

walkSuite('the walk and the kernel: neighbours on a bridge', [
  {
    name: 'not filtered by policy DROP for neighbours that are known',
    sh: bridged(),
    rules: { n1: 'filter -P FORWARD DROP\nfilter -A FORWARD -p tcp -j ACCEPT' },
    families: [4],
    flows: `
      p1 tcp $p3:80 = p3 $p3:80 < $p1
      p1 udp $p3:53 = dropped`,
  },
  {
    name: 'neighbour discovery passes ip6tables, too',
    sh: bridged(),
    rules: { n1: 'filter -P FORWARD DROP\nfilter -A FORWARD -p tcp -j ACCEPT' },
    families: [6],
    flows: 'p1 tcp $p3:80 = icmp 3/1 $p1',
  },
  {
    name: 'neighbours that are known already',
    sh: bridged('', greetings),
    flows: everybody,
  },
  {
    name: 'and are not filtered, if known',
    sh: bridged('', greetings),
    rules: { n1: 'filter -P FORWARD DROP\nfilter -A FORWARD -p tcp -j ACCEPT' },
    flows: `
      p1 tcp $p3:80 = p3 $p3:80 < $p1
      p1 udp $p3:53 = dropped`,
  },
  {
    name: 'neighbours that are known under wrong addresses',
    sh: bridged('', { p1: 'ip neigh replace $p3 lladdr 02:00:00:00:0a:99 dev eth0 nud permanent' }),
    flows: `
      p1 tcp $p3:80 = dropped
      p3 tcp $p1:80 = dropped
      p1 tcp $p2:80 = p2 $p2:80 < $p1`,
  },
  {
    name: 'the gateway known by the address of another port, which is the bridge’s as well',
    sh: bridged('', { p1: 'ip neigh replace $gw1 lladdr 02:00:00:00:01:23 dev eth0 nud permanent' }),
    flows: 'p1 tcp $p2:80 = undecided',
  },
  {
    name: 'and by that of its own',
    sh: bridged('', { p1: 'ip neigh replace $gw1 lladdr 02:00:00:00:01:21 dev eth0 nud permanent' }),
    flows: 'p1 tcp $p2:80 = p2 $p2:80 < $p1',
  },
  {
    name: 'pods without dumps are taken to be wired as the bridge is',
    sh: bridged('', greetings),
    rules: {
      n1: `
        nat -A PREROUTING -d $svc -p tcp --dport 80 -j DNAT --to-destination $p3:7000
        nat -A POSTROUTING -s $p3 -d $p3 -j MASQUERADE
        filter -A FORWARD -m physdev --physdev-in cali1 -p tcp --dport 81 -j DROP
        filter -A FORWARD -i cni0 -o cni0 -p udp --dport 54 -j DROP`,
    },
    undumped: ['p1', 'p3'],
    flows: `
      p1 tcp $p3:80 = p3 $p3:80 < $p1
      p1 tcp $p3:81 = dropped
      p3 tcp $p1:81 = p1 $p1:81 < $p3
      p1 udp $p3:54 = dropped
      p1 tcp $svc:80 = p3 $p3:7000 < $p1
      p3 tcp $svc:80 = dropped
      p1 tcp $p2:80 = p2 $p2:80 < $p1
      p1 tcp $gw1:80 = n1 $gw1:80 < $p1
      p2 tcp $p3:80 = p3 $p3:80 < $p2
      n1 tcp $p3:80 = p3 $p3:80 < $gw1`,
  },
  {
    name: 'a pod without a dump, past the tables',
    sh: bridged(off),
    rules: { n1: 'nat -A PREROUTING -d $svc -p tcp --dport 80 -j DNAT --to-destination $p3:7000\nfilter -A FORWARD -p udp -j DROP' },
    undumped: ['p3'],
    flows: `
      p1 udp $p3:53 = p3 $p3:53 < $p1
      p3 udp $p1:53 = p1 $p1:53 < $p3
      p1 tcp $svc:80 = dropped
      ext tcp $svc:80 = p3 $p3:7000 < $ext
      p3 udp $p2:53 = dropped`,
  },
])
