/** Packets of named sizes through tunnels that only this kernel has. Sizes are of the whole packet, with DF (netns-case.ts). */
import { toPods } from './ipvs.ts'
import type { Setup, VmCase } from './lab.ts'
import { wireguard } from './wireguard.ts'

/** one family's way into a tunnel device: the far pods by it, its own address */
const ipip = (n: 1 | 2, far: 1 | 2, more = ''): Setup => ({
  ip: `link set tunl0 mtu 1480 up
    addr add $vtep${n}/32 dev tunl0
    route del $pods${far} via $n${far}
    route add $pods${far} via $n${far} dev tunl0 onlink
    ${more}`,
})

/** a tunnel with fixed ends, which looks after its path */
const fixed = (n: 1 | 2, far: 1 | 2, options: string, more = ''): Setup => ({
  ip: `link add ipt type ipip local $n${n} remote $n${far} ${options}
    link set ipt mtu 1480 up
    addr add $vtep${n}/32 dev ipt
    route del $pods${far} via $n${far}
    route add $pods${far} dev ipt
    ${more}`,
})

const small = 'ip link set eth0 mtu 1400'
const v4 = [4] as const

export const mtuCases: readonly VmCase[] = [
  {
    name: 'IPIP: longer than the tunnel',
    families: v4,
    setup: { n1: ipip(1, 2), n2: ipip(2, 1) },
    flows: `
      p1 udp size 1480 $p2:53 = p2 $p2:53 < $p1
      p3 udp size 1481 $p2:53 = icmp 3/4 $vtep1
      n1 udp size 1481 $p4:53 = errno EMSGSIZE
      n2 icmp size 1480 $p1 = ok`,
  },
  {
    name: 'IPIP: the far end takes less',
    families: v4,
    setup: { n1: ipip(1, 2), n2: ipip(2, 1, small.slice(3)) },
    flows: `
      p1 udp size 1384 $p2:53 = p2 $p2:53 < $p1
      p3 udp size 1385 $p2:53 = dropped`,
  },
  {
    name: 'IPIP: DF of the inner packet counts for the outer one',
    families: v4,
    setup: { n1: ipip(1, 2), n2: ipip(2, 1, small.slice(3)) },
    flows: `
      p2 udp size 1380 $p1:53 = p1 $p1:53 < $p2
      p4 udp size 1381 $p1:53 = icmp 3/4 $vtep2
      n2 udp size 1381 $p3:53 = icmp 3/4 $vtep2`,
  },
  {
    name: 'IPIP with fixed ends: what the path takes is told',
    families: v4,
    setup: { n1: fixed(1, 2, 'pmtudisc'), n2: fixed(2, 1, 'pmtudisc', small.slice(3)) },
    flows: `
      p2 udp size 1380 $p1:53 = p1 $p1:53 < $p2
      p4 udp size 1381 $p1:53 = icmp 3/4 $n2`,
  },
  // the device has the MTU that the kernel gives it, 1420
  {
    name: 'WireGuard: longer than the tunnel',
    setup: { n1: wireguard(1, 2), n2: wireguard(2, 1) },
    flows: `
      p1 udp size 1420 $p2:53 = p2 $p2:53 < $p1
      p3 udp size 1421 $p2:53 = icmp 3/4 {$n1|$vtep1}
      n1 udp size 1421 $p4:53 = errno EMSGSIZE`,
  },
  {
    // 60 or 80 bytes around what is filled up to a multiple of 16; the far device takes 4 more than its MTU
    name: 'WireGuard: the far end takes less',
    setup: { n1: wireguard(1, 2), n2: wireguard(2, 1, { sh: small }) },
    flows: `
      p1 udp size {1344|1312} $p2:53 = p2 $p2:53 < $p1
      p3 udp size {1345|1313} $p2:53 = dropped`,
  },
  {
    name: 'WireGuard: the near end cuts its packets',
    setup: { n1: wireguard(1, 2), n2: wireguard(2, 1, { sh: small }) },
    flows: 'p2 udp size 1420 $p1:53 = p1 $p1:53 < $p2',
  },
  {
    // before it is rewritten, and before OUTPUT
    name: 'IPVS: longer than the way to the real server',
    setup: {
      n1: toPods({
        ip: 'route change $pods2 via $n2 mtu 1300',
        rules: 'filter -A OUTPUT -d $p2 -p udp -m length --length 1301 -j DROP',
      }),
    },
    flows: `
      p1 udp size 1300 $svc:53 = p2 $p2:54 < $p1
      p3 udp size 1301 $svc:53 = icmp 3/4 $svc
      n1 udp size 1301 $svc:53 = icmp 3/4 $svc`,
  },
]
