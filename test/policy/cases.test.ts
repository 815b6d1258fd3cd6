import { describe, expect, it } from 'vitest'
import { evaluate } from '../../src/policy/evaluate.ts'
import { pathOf } from '../../src/policy/path.ts'
import { resolveEnd } from '../../src/policy/query/ends.ts'
import { needs } from '../support/needs.ts'
import { type Case, casesOf, endName, loadCase, probesOf, worldOf } from './cases.ts'

const PEERS = ['calico', 'disagreements', 'cyclonus', 'network-policy-api', 'derived-cnp', 'network-config-analyzer', 'netpol-analyzer']

/** Expectations that are wrong by the API's own documents, or ask about input that is refused, with the reason. */
const WRONG: Readonly<Record<string, string>> = {
  'calico/nets-mixed-families':
    'notNets of IPv4 alone: Felix leaves such a rule out for IPv6 (felix/rules/policy.go, FilterRuleToIPVersion; iptables, nft and BPF alike), which the matcher behind the expectation did not',
  'derived-cnp/anp_test_named_ports_multiple_peers':
    'refused: destinationNamedPort beside a networks peer (CEL rule of ClusterNetworkPolicy v1alpha2)',
  'netpol-analyzer/anp_test_named_ports_multiple_peers':
    'refused: namedPort beside a networks peer (CEL rule of AdminNetworkPolicy v1alpha1)',
  'netpol-analyzer/example_pods_w_same_owner_and_labels_gap_with_good_match_expression': 'refused: a policy name with _ in it',
  'netpol-analyzer/example_pods_w_same_owner_and_labels_gap_with_good_match_expression2': 'refused: a policy name with _ in it',
  'netpol-analyzer/example_pods_w_same_owner_and_labels_gap_with_policy_selector_not_in_gap': 'refused: a policy name with _ in it',
}

describe.runIf(needs('policy-cases'))('the cases of other tools', () => {
  for (const peer of PEERS) {
    describe(peer, () => {
      for (const given of casesOf(peer)) {
        if (given.valid === false) continue
        const wrong = WRONG[`${peer}/${given.name}`]
        if (wrong) it(`${given.name} (${wrong})`, () => expect(differences(given)).not.toEqual([]))
        else it(given.name, () => expect(differences(given)).toEqual([]))
      }
    })
  }
})

/** Every expectation that is not met, in words. */
function differences(given: Case): string[] {
  const { loaded } = loadCase(given.folder)
  const world = worldOf(loaded, given.ends)
  const found: string[] = []
  for (const row of given.expect) {
    for (const dst of Array.isArray(row.dst) ? (row.dst as string[]) : [row.dst as string]) {
      const source = resolveEnd(world, endName(row.src, given.ends))
      const destination = resolveEnd(world, endName(dst, given.ends))
      for (const probe of probesOf(row, given.probe_ports ?? [])) {
        const name = `${row.src} -> ${dst} ${JSON.stringify(probe)}${row.class ? ` ${row.class}` : ''}${row.staged ? ' staged' : ''}`
        if (!source || !destination) {
          found.push(`${name}: no such end`)
          break
        }
        const verdict = evaluate(world, {
          source,
          destination,
          ...probe,
          ...(row.class && { class: row.class }),
          ...(row.staged && { staged: true }),
        })
        const said = (what: string, wanted: unknown, got: unknown): void => {
          if (wanted !== undefined && JSON.stringify(wanted) !== JSON.stringify(got))
            found.push(`${name}: ${what} is ${JSON.stringify(got)} (${verdict.verdict}), expected ${JSON.stringify(wanted)}`)
        }
        if (row.allowed === null) said('verdict', 'ambiguous', verdict.verdict)
        else said('allowed', row.allowed, verdict.allowed)
        said('egress', row.egress, verdict.egress.verdict)
        said('ingress', row.ingress, verdict.ingress.verdict)
        said('egress path', row.egressPath, pathOf(verdict.egress))
        said('ingress path', row.ingressPath, pathOf(verdict.ingress))
      }
    }
  }
  return found
}
