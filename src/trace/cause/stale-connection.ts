/** The packet follows an entry of conntrack that was made when the Service had other endpoints. */
import { staleMapping, targetOf } from '../conntrack/stale-connections.ts'
import type { Explain } from './case.ts'

/** The cause is the entry of conntrack. */
export const staleConnection: Explain = (c) => {
  // whoever answers is alive, whatever the EndpointSlices say; rules of others and sysctls stop packets to the living, too
  if (c.leg === 'answer' || c.blame.kind === 'sysctl') return undefined
  for (const step of c.steps) {
    const entry = step.kind === 'entry' ? step.connection : undefined
    const stale = entry && staleMapping(c.world, entry)
    if (!stale) continue
    const { why, object } = stale
    return {
      node: step.place.label,
      kind: 'endpoint',
      entry: `${why}, yet conntrack still sends its packets to ${targetOf(entry)}`,
      source: entry.source,
      ...(object !== undefined && { object }),
    }
  }
  return undefined
}
