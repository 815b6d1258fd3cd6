import { cidrLists } from './cidrs.ts'
import { type Check, type LintInput, nameOf } from './finding.ts'

/** Policies of pods see packets after a Service's translation, so these rules never match (but for what is judged before it, on host endpoints). */
export const clusterAddress: Check = {
  code: 'LNT014',
  severity: 'warning',
  title: 'A rule names the cluster address of a Service, which policies never see',
  *find(input: LintInput) {
    const services = new Map(
      [...input.world.services].flatMap(([name, { clusterIps }]) => clusterIps.map((ip) => [ip.text, name] as const)),
    )
    if (services.size === 0) return
    for (const { origin, cidrs, rule } of cidrLists(input)) {
      if (rule === undefined || rule.end !== 'destination' || rule.direction !== 'egress' || isEarly(origin.object.value.spec)) continue
      for (const { prefix, text, path } of cidrs) {
        const service = prefix.length === (prefix.ip.family === 4 ? 32 : 128) ? services.get(prefix.ip.text) : undefined
        if (service === undefined) continue
        yield {
          at: { object: origin.object, path },
          message: `${text} in ${nameOf({ origin })} is the cluster address of Service ${service}: policies see the pods behind it, so it never matches`,
          fix: 'select the pods behind the Service, and the port that they listen on',
        }
      }
    }
  },
}

function isEarly(spec: unknown): boolean {
  const { doNotTrack, preDNAT } = (spec ?? {}) as Readonly<Record<string, unknown>>
  return doNotTrack === true || preDNAT === true
}
