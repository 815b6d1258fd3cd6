import { type Check, DIRECTIONS, nameOf, policiesOf, ruleAt, rulesOf, within } from './finding.ts'

/** Told only where Services of that namespace are in the input. */
export const serviceUnknown: Check = {
  code: 'LNT022',
  severity: 'warning',
  title: 'A rule is about a Service that does not exist, or that leads nowhere',
  *find({ world }) {
    const namespaces = new Set([...world.services.keys()].map((name) => name.slice(0, name.indexOf('/'))))
    for (const policy of policiesOf(world)) {
      for (const direction of DIRECTIONS) {
        for (const rule of rulesOf(policy, direction)) {
          for (const end of ['source', 'destination'] as const) {
            const { service } = rule[end]
            if (!service || !namespaces.has(service.namespace)) continue
            const known = world.services.get(`${service.namespace}/${service.name}`)
            if (known && known.backends.length > 0) continue
            yield {
              at: within(ruleAt(policy, direction, rule), end, 'services'),
              message: `Service ${service.namespace}/${service.name} in a rule of ${nameOf(policy)} ${known ? 'has no backends' : 'does not exist'}, so the rule matches nothing`,
              fix: known ? 'mend the selector of the Service' : 'mend the name',
            }
          }
        }
      }
    }
  },
}
