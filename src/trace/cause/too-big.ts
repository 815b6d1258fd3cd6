/** A packet that is longer than a route or a device takes. */
import { type Explain, nodeOf } from './case.ts'

/** The MTU is the fault; where its owner said so in vain, that is why the sender doesn't send less (a “path MTU black hole”, RFC 2923). */
export const tooBig: Explain = ({ blame, result }) => {
  if (blame.kind !== 'mtu') return undefined
  const { answer, verdict } = result
  const lost = verdict === 'dropped' && answer?.kind === 'icmp' ? answer.steps.at(-1) : undefined
  const heard = lost ? `, and the ICMP error that says so ends on ${lost.place.label} (${lost.action})` : ''
  return {
    node: nodeOf(blame.place),
    kind: 'mtu',
    entry: `${blame.entry}${heard}`,
    ...(blame.source && { source: blame.source }),
  }
}
