import { type Check, DIRECTIONS, nameOf, policiesOf, ruleAt, rulesOf, within } from './finding.ts'

/** The kernel knows no HTTP: to it such a rule allows the port. */
export const httpCondition: Check = {
  code: 'LNT025',
  severity: 'note',
  title: 'A rule has HTTP conditions, which only a proxy judges',
  *find({ world }) {
    for (const policy of policiesOf(world)) {
      for (const direction of DIRECTIONS) {
        for (const rule of rulesOf(policy, direction)) {
          if (!rule.http) continue
          yield {
            at: within(ruleAt(policy, direction, rule), 'http'),
            message: `the HTTP conditions of this rule of ${nameOf(policy)} are judged only where Calico's application layer policy is on: elsewhere it allows all requests`,
            fix: 'see that the proxy is there for what the policy selects',
          }
        }
      }
    }
  },
}
