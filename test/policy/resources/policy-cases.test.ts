import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readManifest } from '../../../src/cluster/manifest/read.ts'
import { readResource } from '../../../src/policy/resources/read.ts'
import { needs } from '../../support/needs.ts'
import { policyCases } from '../../support/policy-cases.ts'

/** Objects that are refused, as `Kind/namespace/name`, each with its reasons; what is no object at all under the name of its file. */
function refusedIn(text: string, file: string): ReadonlyMap<string, readonly string[]> {
  const refused = new Map<string, readonly string[]>()
  const manifest = readManifest(text, file, { namespace: 'default', found: true })
  if (manifest.refused.length > 0) refused.set(file, manifest.refused.map(String))
  for (const object of manifest.objects) {
    const result = readResource(object)
    expect(result.kind, `${file} ${object.kind}`).not.toBe('other')
    if (result.kind !== 'refused') continue
    const name = `${object.kind}/${object.namespace ?? 'default'}/${object.name}`
    refused.set(
      name,
      result.problems.map((problem) => `${problem.field}: ${problem.message}`),
    )
  }
  return refused
}

const filesOf = (folder: string): readonly string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? filesOf(path) : [path]
  })

/** Broken YAML, and objects that lack their kind, in cases whose tools read the rest. */
const NOT_MANIFESTS = new Set([
  'document_with_syntax_error/document_with_syntax_error.yaml',
  'malformed-pod-example-3/pods_list.json',
  'malformed-pod-example-5/pod.yaml',
  'malformed-pod-example-5/pods.json',
  'onlineboutique_with_pods_severe_error/pods.yaml',
])

/** Taken by the tool that the case is from, and refused by the API server. */
const WRONGLY_VALID: Readonly<Record<string, string>> = {
  // CEL: networks have no named ports
  'netpol-analyzer/anp_test_named_ports_multiple_peers': 'spec.egress[0].ports[2].namedPort',
  'derived-cnp/anp_test_named_ports_multiple_peers': 'spec.egress[0].protocols[2].destinationNamedPort',
  // "_" in the name of a NetworkPolicy
  'netpol-analyzer/example_pods_w_same_owner_and_labels_gap_with_good_match_expression': 'metadata.name',
  'netpol-analyzer/example_pods_w_same_owner_and_labels_gap_with_good_match_expression2': 'metadata.name',
  'netpol-analyzer/example_pods_w_same_owner_and_labels_gap_with_policy_selector_not_in_gap': 'metadata.name',
  // ports: {} where a list is wanted
  'netpol-analyzer/malformed-pod-example-2': 'spec.containers[0].ports',
}

/** Refused by the tool, and taken by the API server: that object or pair of objects is fine by itself. */
const WRONGLY_INVALID = new Set([
  // two policies of one priority: allowed, and undefined where both match
  'anp_bad_path_test_1',
  // a second object of the same name would change the first
  'anp_bad_path_test_3',
  'bad_path_namespace_with_same_name',
  'banp_bad_path_test_1',
  'np_bad_path_test_1',
  // v1alpha1 has no rule that a range must not be empty: it matches nothing
  'anp_test_with_empty_port_range',
  // pods of one owner may have other labels
  'example_w_err_pods_w_same_owner_and_labels_gap_anp',
  'semanticDiff-same-topologies-illegal-podlist',
])

interface Expected {
  readonly valid?: boolean
  readonly rejected_by_calico?: Readonly<Record<string, string>>
}

describe.runIf(needs('policy-cases'))('manifests of the policy cases', () => {
  const peers = readdirSync(policyCases).filter((peer) => statSync(join(policyCases, peer)).isDirectory())
  for (const peer of peers) {
    const inner = join(policyCases, peer, 'cases')
    const folder = existsSync(inner) ? inner : join(policyCases, peer)
    it(`${peer}: what is valid is read, what is not is refused`, () => {
      for (const name of readdirSync(folder)) {
        const manifests = join(folder, name, 'manifests')
        if (!existsSync(manifests)) continue
        const expected = JSON.parse(readFileSync(join(folder, name, 'expected.json'), 'utf8')) as Expected
        const refused = new Map<string, readonly string[]>()
        for (const file of filesOf(manifests)) {
          const short = file.slice(manifests.length + 1)
          if (!/\.(ya?ml|json)$/.test(file) || NOT_MANIFESTS.has(`${name}/${short}`)) continue
          for (const [object, reasons] of refusedIn(readFileSync(file, 'utf8'), short)) refused.set(object, reasons)
        }
        const context = `${peer}/${name}`
        const wrong = WRONGLY_VALID[context]
        if (wrong)
          expect(
            [...refused.values()].flat().every((reason) => reason.startsWith(wrong)),
            context,
          ).toBe(true)
        else if (expected.valid === false) expect(refused.size > 0, context).toBe(!WRONGLY_INVALID.has(name))
        else expect([...refused.keys()].sort(), context).toEqual(Object.keys(expected.rejected_by_calico ?? {}).sort())
      }
    })
  }

  const gold = () =>
    JSON.parse(readFileSync(join(policyCases, 'calico/validation.json'), 'utf8')) as {
      readonly cases: readonly {
        readonly name: string
        readonly valid: boolean
        readonly manifest: string
        readonly error: string | null
      }[]
    }
  it("Calico's own verdicts on 75 objects", () => {
    for (const { name, valid, manifest } of gold().cases) expect(refusedIn(manifest, name).size === 0, name).toBe(valid)
  })
})
