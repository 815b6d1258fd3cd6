import { cidrLists } from './cidrs.ts'
import { type Check, nameOf } from './finding.ts'

/** Told of single addresses only: a block may well be about all that is in it. */
export const podAddress: Check = {
  code: 'LNT026',
  severity: 'warning',
  title: 'A rule names the address of a pod, which the next pod will not have',
  *find(input) {
    const pods = new Map(
      input.world.endpoints.flatMap(({ kind, id, addresses }) => (kind === 'pod' ? addresses.map((ip) => [ip.text, id] as const) : [])),
    )
    for (const { origin, cidrs, rule } of cidrLists(input)) {
      if (rule === undefined) continue
      for (const { prefix, text, path } of cidrs) {
        const pod = prefix.length === (prefix.ip.family === 4 ? 32 : 128) ? pods.get(prefix.ip.text) : undefined
        if (pod === undefined) continue
        yield {
          at: { object: origin.object, path },
          message: `${text} in ${nameOf({ origin })} is the address of pod ${pod}: the pod that takes its place has another`,
          fix: 'select the pod by its labels',
        }
      }
    }
  },
}
