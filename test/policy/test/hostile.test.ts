import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readManifest } from '../../../src/cluster/manifest/read.ts'
import { NetctlError } from '../../../src/error.ts'
import { ParseError } from '../../../src/kernel/source.ts'
import { ip } from '../../../src/net/ip.ts'
import { parseFlowLines } from '../../../src/policy/query/flow-lines.ts'
import { servicesOf } from '../../../src/policy/query/services.ts'
import { endAt, endNamed } from '../../../src/policy/query/who.ts'
import { readPolicySnapshot } from '../../../src/policy/record/read.ts'
import { recordingOf } from '../../../src/policy/record/recording.ts'
import { readPolicyTest } from '../../../src/policy/test/read.ts'
import { runSuite } from '../../../src/policy/test/suite.ts'
import { recordingYaml } from '../../../src/report/policy/recording-yaml.ts'
import { root } from '../../support/needs.ts'
import { fc } from '../../support/properties.ts'
import { worldOfText } from '../world.ts'

const example = (name: string): string => readFileSync(join(root, 'examples/policies', name), 'utf8')
const SHOP = ['workloads', 'policies', 'security'].map((name) => example(`shop/${name}.yaml`)).join('\n---\n')
const world = worldOfText(SHOP)
const scene = { world, services: servicesOf(readManifest(SHOP, 'shop.yaml', { namespace: 'default' }).objects), namespace: 'default' }

/** A text with some of its pieces gone, doubled, or turned into something else. */
const mutilated = (text: string) =>
  fc
    .array(
      fc.tuple(
        fc.nat(text.length),
        fc.nat(20),
        fc.constantFrom('', '{', '[]', '- ', ': ', '*', '"', '\n', '99999999999', 'null', '{any: true}', '\u0000'),
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((cuts) => cuts.reduce((t, [at, length, put]) => t.slice(0, at) + put + t.slice(at + length), text))

/** Whatever it is: an answer, or a refusal with a line. */
function expectRefusal(work: () => void): void {
  try {
    work()
  } catch (error) {
    if (error instanceof ParseError) return
    if (!(error instanceof NetctlError)) throw error
    expect(error.line).toBeGreaterThan(0)
  }
}

test('tests that are damaged are refused with a line, or asked', () => {
  fc.assert(
    fc.property(mutilated(example('shop-tests.yaml')), (text) => {
      for (const object of readManifest(text, 't.yaml', { namespace: 'default' }).objects)
        expectRefusal(() => {
          for (const result of runSuite(scene, readPolicyTest(object)).results)
            if (result.kind === 'refused') expect(result.error.line).toBeGreaterThan(0)
        })
    }),
    { numRuns: 400 },
  )
})

test('snapshots too', () => {
  const text = recordingYaml(recordingOf(world), 'shop', [], 'netctl')
  fc.assert(
    fc.property(mutilated(text), (damaged) => {
      for (const object of readManifest(damaged, 's.yaml', { namespace: 'default' }).objects)
        expectRefusal(() => void readPolicySnapshot(object))
    }),
    { numRuns: 400 },
  )
})

test('flow lines of any kind', () => {
  const value = fc.oneof(
    fc.constantFrom<unknown>('shop/web[Deployment]', 'data/db[StatefulSet]', '10.0.0.1', 'TCP', 'ICMP', 6, 80, 0, -1, null, 'pod', {
      kind: 'pod',
    }),
    fc.jsonValue(),
  )
  const line = fc.record(
    {
      src: value,
      dst: value,
      protocol: value,
      port: value,
      srcPort: value,
      icmpType: value,
      class: value,
      staged: value,
      from: value,
      proto: value,
      id: value,
    },
    { requiredKeys: [] },
  )
  const ends = { named: (t: string) => endNamed(world, t), at: (a: string) => endAt(world, ip(a)), behind: () => undefined }
  fc.assert(
    fc.property(line, (one) => expectRefusal(() => void parseFlowLines(JSON.stringify(one), 'f', ends))),
    { numRuns: 2000 },
  )
})
