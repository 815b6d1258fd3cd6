/** Cases of IPIP tunnels. */
import type { VmCase } from './lab.ts'

/** tunl0 as Felix and BIRD have it: point to any, one address of the node's block, the far block by the far node, onlink */
const tunl0 = (n: 1 | 2, far: 1 | 2) => `
  link set tunl0 mtu 1480 up
  addr add $vtep${n}/32 dev tunl0
  route del $pods${far} via $n${far}
  route add $pods${far} via $n${far} dev tunl0 onlink`
const both = { n1: { ip: tunl0(1, 2) }, n2: { ip: tunl0(2, 1) } }
const families = [4] as const

export const ipipCases: readonly VmCase[] = [
  {
    name: 'IPIP through tunl0, from pods and from the node',
    families,
    setup: both,
    flows: `
      p1 tcp $p2:80 = p2 $p2:80 < $p1
      p2 udp $p1:53 = p1 $p1:53 < $p2
      p1 udp $p2:99 = icmp 3/3 $p2
      n1 tcp $p2:80 = p2 $p2:80 < $vtep1
      n1 icmp $p2 = ok`,
  },
  {
    name: 'IPIP: the mark of the inner packet is on the outer one',
    families,
    setup: {
      n1: {
        ...both.n1,
        rules: `mangle -A FORWARD -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x40/0x40
          filter -A OUTPUT -p ipencap -m mark --mark 0x40/0x40 -j DROP`,
      },
      n2: both.n2,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = p2 $p2:81 < $p1`,
  },
  {
    name: 'IPIP: the mark set on the outer packet in INPUT stays on the inner one',
    families,
    setup: {
      n1: both.n1,
      n2: {
        ...both.n2,
        rules: `mangle -A INPUT -p ipencap -j MARK --set-xmark 0x80/0x80
          filter -A FORWARD -i tunl0 -p tcp -m tcp --dport 80 -m mark --mark 0x80/0x80 -j DROP`,
      },
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = p2 $p2:81 < $p1`,
  },
]
