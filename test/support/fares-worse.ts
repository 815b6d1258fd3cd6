/** Does a flow fare worse than in the same cluster without the fault? */
import type { Trace } from '../../src/trace/types.ts'

/** Share of connections that end in each way but well; addresses of Services left out. */
function failures(t: Trace): ReadonlyMap<string, number> {
  const out = new Map<string, number>()
  for (const o of t.outcomes) {
    if (o.verdict === 'delivered') continue
    const how = `${o.verdict} ${o.error?.replace(/from 10\.96\.\S+/, 'from the service') ?? ''}`
    out.set(how, (out.get(how) ?? 0) + o.probability)
  }
  return out
}

/**
 * Is something lost that was not, or otherwise? Which backends answer is not compared: where the fault was made by starting pods anew
 * (broken-ipam-leak, broken-stale-endpoints) all Services of the cluster have other backends, which is no fault.
 */
export const faresWorse = (before: Trace, now: Trace): boolean => {
  const was = failures(before)
  return [...failures(now)].some(([how, p]) => p > (was.get(how) ?? 0) + 1e-6)
}
