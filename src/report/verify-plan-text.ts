/** What `--verify` and `--catch` are about to do, before they do it: whom it touches, with what, for how long. */
import type { Plan } from '../verify/plan.ts'
import type { Space } from '../verify/types.ts'
import { count, socketName } from './names.ts'

/** more nodes, or flows that can't be probed, than these are counted */
const NAMED = 8

/** The plan in lines for a prompt. `catching`: nothing is sent, a real packet is waited for. */
export function verifyPlanLines({ id, nodes, seconds, flows }: Plan, catching: boolean): readonly string[] {
  const probes = flows.flatMap((f) => f.probe ?? [])
  const unable = flows.flatMap(({ trace, unable }) => (unable === undefined ? [] : [`${trace.id ?? 'the flow'}: ${unable}`]))
  const spaces = new Set(probes.map((p) => `${p.node} ${spaceName(p.space)}`))
  const [first] = probes
  const sent =
    probes.length === 1 && first
      ? [
          `1 ${first.proto} probe is sent from port ${first.sport} of ${spaceName(first.space)}, on ${first.node}`,
          `  to ${socketName(first.dst, first.dport)}`,
        ]
      : probes.length > 0
        ? [
            `${count(probes.length, 'probe')} ${probes.length === 1 ? 'is' : 'are'} sent, one a flow, from ${count(spaces.size, 'network namespace')}`,
          ]
        : []
  return [
    `${few(nodes.map((n) => n.node))}: packets are watched, for ${seconds} s at most`,
    `  by nft and conntrack, through table inet netctl_verify_${id} alone`,
    '  which goes away at the end, and by itself should netctl not live to see it',
    ...(catching ? ['nothing is sent: the next real packet like this one is waited for'] : sent),
    ...fewLines(unable),
  ]
}

const spaceName = (space: Space): string => (space === 'node' ? 'the node itself' : `pod/${space.namespace}/${space.name}`)

const few = (names: readonly string[]): string =>
  names.length <= NAMED ? names.join(', ') : `${names.slice(0, NAMED).join(', ')} and ${names.length - NAMED} more`

const fewLines = (lines: readonly string[]): readonly string[] =>
  lines.length <= NAMED ? lines : [...lines.slice(0, NAMED), `and ${lines.length - NAMED} more that can't be probed`]
