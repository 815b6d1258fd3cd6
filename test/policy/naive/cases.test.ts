/** The naive evaluator against the policy cases: the verdict of each row, and for Calico's cases each step that led to it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { needs } from '../../support/needs.ts'
import { policyCases } from '../../support/policy-cases.ts'
import { caseNames, loadCase } from './case-files.ts'
import { endpoints } from './endpoints.ts'
import { evaluate } from './evaluate.ts'
import { holds } from './selector.ts'

const folders = ['calico', 'cyclonus', 'derived-cnp', 'disagreements', 'netpol-analyzer', 'network-config-analyzer', 'network-policy-api']

/** cases whose objects the API server would refuse */
const refused: Readonly<Record<string, string>> = {
  'netpol-analyzer/cases/malformed-pod-example-2': 'a container whose ports are an object, not a list',
}

/** cases whose expectation is wrong by Calico's source, which is the judge of Calico's kinds */
const wrongly: Readonly<Record<string, string>> = {
  'calico/cases/nets-mixed-families':
    'a rule with notNets of IPv4 only does not exist for IPv6 (felix/rules/policy.go, FilterRuleToIPVersion)',
}

/** Calico counts a Kubernetes rule once a protocol and peer; here a rule is a rule, so its index is left out. */
function steps(path: readonly string[]): string {
  return path.map((step) => (/ Kubernetes\w+:/.test(step) ? step.replace(/ rule=\d+/, '') : step)).join(', ')
}

describe.runIf(needs('policy-cases'))('the naive evaluator', () => {
  describe.each(folders)('%s', (folder) => {
    test.each(caseNames(folder))('%s', (name) => {
      const { objects, expectations } = loadCase(name)
      if (name in refused) return void expect(() => endpoints(objects), refused[name]).toThrow()
      const everyone = endpoints(objects)
      const wrong: unknown[] = []
      for (const { flow, row } of expectations) {
        const said = evaluate(objects, flow, everyone)
        const isRight =
          // null: the API leaves it open
          row.allowed === (said.verdict === 'ambiguous' ? null : said.allowed) &&
          (row.egress ?? said.egress.decision) === said.egress.decision &&
          (row.ingress ?? said.ingress.decision) === said.ingress.decision &&
          (!row.egressPath || steps(row.egressPath) === steps(said.egress.path)) &&
          (!row.ingressPath || steps(row.ingressPath) === steps(said.ingress.path))
        if (!isRight) wrong.push({ flow, row, said })
      }
      if (name in wrongly) expect(wrong, wrongly[name]).not.toEqual([])
      else expect(wrong).toEqual([])
    })
  })

  test('selectors', () => {
    const { labels, cases } = JSON.parse(readFileSync(join(policyCases, 'calico/selectors.json'), 'utf8')) as {
      labels: Record<string, string>[]
      cases: { selector: string; valid: boolean; matches?: boolean[] }[]
    }
    for (const { selector, valid, matches } of cases) {
      if (valid) expect({ selector, matches: labels.map((set) => holds(selector, set)) }).toEqual({ selector, matches })
      else expect(() => holds(selector, {}), selector).toThrow()
    }
  })
})
