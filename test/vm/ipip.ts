/** Cases of IPIP tunnels: `tunl0` as Felix and BIRD have it, and tunnels with fixed ends. */
import type { Setup, VmCase } from './lab.ts'

/** point to any, one address of the node's block, the far block by the far node, onlink */
const tunl0 = (n: 1 | 2, far: 1 | 2) => `
  link set tunl0 mtu 1480 up
  addr add $vtep${n}/32 dev tunl0
  route del $pods${far} via $n${far}
  route add $pods${far} via $n${far} dev tunl0 onlink`
const both = { n1: { ip: tunl0(1, 2) }, n2: { ip: tunl0(2, 1) } }
/** tunnels with fixed ends, `tunl0` up beside them on n2 */
const fixed = {
  n1: {
    ip: `link add ipt type ipip local $n1 remote $n2 ttl inherit nopmtudisc
    addr add $vtep1/32 dev ipt
    link set ipt up
    route del $pods2 via $n2
    route add $pods2 dev ipt`,
  },
  n2: {
    ip: `link set tunl0 up
    link add ipt type ipip local $n2 remote $n1 ttl inherit nopmtudisc
    link set ipt up
    route del $pods1 via $n1
    route add $pods1 dev ipt`,
  },
}
const there = 'p1 tcp $p2:80 = p2 $p2:80 < $p1\np2 udp $p1:53 = p1 $p1:53 < $p2'

const v4 = (name: string, n1: Setup, n2: Setup, flows: string): VmCase => ({
  name: `IPIP: ${name}`,
  families: [4],
  setup: { n1, n2 },
  flows,
})

export const ipipCases: readonly VmCase[] = [
  v4(
    'through tunl0, from the pod and from the node',
    both.n1,
    both.n2,
    `${there}
    p1 udp $p2:99 = icmp 3/3 $p2
    n1 tcp $p2:80 = p2 $p2:80 < $vtep1
    n1 icmp $p2 = ok`,
  ),
  v4(
    'the outer packet meets the rules of both nodes, and marks survive both ways',
    {
      ...both.n1,
      rules: `mangle -A FORWARD -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x40/0x40
        filter -A OUTPUT -p ipencap -m mark --mark 0x40/0x40 -j DROP
        filter -A OUTPUT -p ipencap ! -d $n2 -j DROP`,
    },
    {
      ...both.n2,
      rules: `raw -A PREROUTING -i eth0 -m mark ! --mark 0x0 -j DROP
        mangle -A INPUT -p ipencap -s $n1 -j MARK --set-xmark 0x80/0x80
        filter -A FORWARD -i tunl0 -p tcp -m tcp --dport 7000 -m mark --mark 0x80/0x80 -j DROP`,
    },
    `p1 tcp $p2:80 = dropped
    p1 tcp $p2:81 = p2 $p2:81 < $p1
    p1 tcp $p2:7000 = dropped
    p2 udp $p1:53 = p1 $p1:53 < $p2`,
  ),
  v4(
    'conntrack of the outer packets is their own',
    both.n1,
    { ...both.n2, rules: 'filter -A OUTPUT -p ipencap -m conntrack --ctstate NEW -j DROP' },
    'p1 tcp $p2:80 = p2 $p2:80 < $p1',
  ),
  v4(
    'the first packet of the other end is new',
    both.n1,
    { ...both.n2, rules: 'filter -A OUTPUT -p ipencap -m conntrack --ctstate NEW -j DROP' },
    'p2 udp $p1:53 = dropped',
  ),
  v4(
    'the route to the far end is looked up without the mark that the packet carries',
    {
      ip: `${both.n1.ip}\nrule add fwmark 0x40/0x40 lookup 100 pref 100\nroute add blackhole $n2 table 100`,
      rules: 'mangle -A FORWARD -j MARK --set-xmark 0x40/0x40',
    },
    both.n2,
    'p1 tcp $p2:80 = p2 $p2:80 < $p1',
  ),
  v4(
    'the TTL is inherited',
    both.n1,
    { ...both.n2, rules: 'filter -A INPUT -p ipencap -m ttl ! --ttl-eq 63 -j DROP' },
    'p1 tcp $p2:80 = p2 $p2:80 < $p1\nn1 tcp $p2:80 = dropped',
  ),
  v4('the far device is down', both.n1, { ip: `${both.n2.ip}\nlink set tunl0 down` }, 'p1 tcp $p2:80 = dropped'),
  v4('no address and no route at the far end', both.n1, { ip: 'link set tunl0 up' }, 'p1 tcp $p2:80 = p2 $p2:80 < $p1'),
  v4(
    'no way to the far end',
    { ip: `${both.n1.ip}\nroute add blackhole $n2` },
    both.n2,
    'p1 tcp $p2:80 = dropped\nn1 tcp $p2:80 = dropped',
  ),
  v4('the far end is behind the tunnel itself', { ip: `${both.n1.ip}\nroute add $n2 dev tunl0` }, both.n2, 'p1 tcp $p2:80 = dropped'),
  v4('fixed ends', fixed.n1, fixed.n2, `${there}\nn1 tcp $p2:80 = p2 $p2:80 < $vtep1`),
  v4(
    'what fits both ends comes in before tunl0',
    fixed.n1,
    { ...fixed.n2, rules: 'filter -A FORWARD -i tunl0 -j DROP' },
    'p1 tcp $p2:80 = p2 $p2:80 < $p1',
  ),
  v4(
    'a device for the near end only comes before tunl0, and one that is down does not count',
    fixed.n1,
    {
      ip: `link set tunl0 up
        link add ipt type ipip local $n2 remote $n1
        link add near type ipip local $n2
        link set near up`,
      rules: 'filter -A FORWARD ! -i near -d $p2 -j DROP',
    },
    'p1 tcp $p2:80 = p2 $p2:80 < $p1',
  ),
  v4(
    'masquerading on tunl0',
    {
      ...both.n1,
      rules: 'nat -A POSTROUTING -o tunl0 -j MASQUERADE\nnat -A PREROUTING -d $n1 -p tcp -m tcp --dport 81 -j DNAT --to-destination $p2:80',
    },
    both.n2,
    'p1 tcp $p2:80 = p2 $p2:80 < $vtep1\next tcp $n1:81 = p2 $p2:80 < $vtep1',
  ),
  v4(
    'what is not from a known node is dropped in INPUT, as Felix has it',
    both.n1,
    {
      ...both.n2,
      ipset: 'create hosts hash:net\nadd hosts $n1b',
      rules: 'filter -A INPUT -p ipencap -m set --match-set hosts src -j ACCEPT\nfilter -A INPUT -p ipencap -j DROP',
    },
    'p1 tcp $p2:80 = dropped\nn1 tcp $n2:80 = n2 $n2:80 < $n1',
  ),
  {
    name: 'IPIP: no IPv6 in it',
    families: [6],
    setup: { n1: { ip: 'link set tunl0 up\nroute del $pods2 via $n2\nroute add $pods2 dev tunl0' } },
    flows: 'p1 tcp $p2:80 = dropped',
  },
]
