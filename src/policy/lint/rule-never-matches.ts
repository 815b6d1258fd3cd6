import { unsatisfiable } from '../../cluster/selector/implies.ts'
import { isWithin, portsWithin } from '../covers.ts'
import type { Peer, Policy, Rule } from '../model.ts'
import { type Check, DIRECTIONS, nameOf, policiesOf, userRules, within } from './finding.ts'

/** By what it says, whatever there is. */
export const ruleNeverMatches: Check = {
  code: 'LNT020',
  severity: 'warning',
  title: 'A rule contradicts itself, and matches nothing',
  *find({ world }) {
    for (const policy of policiesOf(world)) {
      if (unsatisfiable(policy.subject)) {
        yield {
          at: within(policy.origin, 'spec'),
          message: `${nameOf(policy)} can select nothing: its selectors contradict each other`,
          fix: 'mend the selectors',
        }
      }
      for (const direction of DIRECTIONS) {
        for (const [index, rules] of userRules(policy, direction))
          yield* contradictions(policy, within(policy.origin, 'spec', direction, index), rules)
      }
    }
  },
}

function* contradictions(policy: Policy, at: ReturnType<typeof within>, rules: readonly Rule[]) {
  const told = new Set<string>()
  for (const rule of rules) {
    const why = contradiction(rule)
    if (why === undefined || told.has(why)) continue
    told.add(why)
    const whole = rules.every((other) => contradiction(other) !== undefined)
    yield {
      at: rule.peerOrigin && rules.some((other) => contradiction(other) === undefined) ? rule.peerOrigin : at,
      message: `${whole ? 'this rule' : 'a part of this rule'} of ${nameOf(policy)} matches nothing: ${why}`,
      fix: 'mend it, or delete it',
    }
  }
}

function contradiction({ protocol, notProtocol, source, destination }: Rule): string | undefined {
  if (protocol !== undefined && protocol === notProtocol) return 'protocol and notProtocol are the same'
  return ofPeer('source', source) ?? ofPeer('destination', destination)
}

function ofPeer(end: string, { selector, nets, notNets, ports, notPorts }: Peer): string | undefined {
  if (selector && unsatisfiable(selector)) return `the selectors of its ${end} contradict each other`
  if (nets && notNets && nets.every((net) => isWithin(net, notNets))) return `all nets of its ${end} are in notNets`
  if (!ports) return undefined
  if (ports.names.length === 0 && ports.ranges.every(({ lo, hi }) => lo > hi)) return `its range of ports ends before it begins`
  return notPorts && portsWithin(ports, notPorts) ? `all ports of its ${end} are in notPorts` : undefined
}
