/** Flows through a Service of two backends, and what a kernel may do otherwise than predicted. */
import type { TraceHeaders } from '../../src/kernel/nftables/trace-events.ts'
import type { Flow } from '../../src/trace/types.ts'
import type { SeenPacket, SeenStep } from '../../src/verify/types.ts'
import { addressOf } from '../support/netns-lab.ts'
import type { World } from './kernel-as-predicted.ts'

export const flow = (from: 'p1' | 'n1' | 'ext', to: string, port = 80, proto: Flow['proto'] = 'tcp', family: 4 | 6 = 4): Flow => ({
  from: { kind: from === 'p1' ? 'pod' : from === 'n1' ? 'node' : 'external', name: from === 'p1' ? 't/p1' : from },
  proto,
  dst: addressOf(to, family),
  ...(proto !== 'icmp' && { port }),
})

/** a Service of two backends as kube-proxy writes it, and a filter that lets it pass */
export const service = {
  rules: {
    n1: `nat -N SVC
      nat -N SEP1
      nat -N SEP2
      nat -A PREROUTING -d $svc/{32|128} -p tcp -m tcp --dport 80 -j SVC
      nat -A SVC -m statistic --mode random --probability 0.50000000000 -j SEP1
      nat -A SVC -j SEP2
      nat -A SEP1 -p tcp -j DNAT --to-destination $p2:7000
      nat -A SEP2 -p tcp -j DNAT --to-destination $p3:7001
      nat -A POSTROUTING -s $p1 -d $p3 -j MASQUERADE --random-fully
      filter -A FORWARD -p tcp -j ACCEPT`,
    n2: 'filter -A FORWARD -d $p2 -p tcp -m tcp --dport 7000 -j ACCEPT',
  },
}

/** of the packets of a node, the k-th otherwise */
export function change({ seen }: World, node: string, k: number, how: (p: SeenPacket) => SeenPacket): void {
  const of = seen.get(node)
  if (!of) throw new Error(`nothing is watched on ${node}`)
  of.packets = of.packets.map((p, i) => (i === k ? how(p) : p))
}
export const forget = ({ seen }: World, node: string): void => {
  const of = seen.get(node)
  if (of) of.packets = []
}
/** as the last hook sees it */
export const last = (p: SeenPacket): TraceHeaders => p.end?.headers ?? p.headers
export const rule = (step: SeenStep, index: number): SeenStep => ({ ...step, index }) as SeenStep
