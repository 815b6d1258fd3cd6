/** Objects with one value replaced by anything at all: they are read or refused, and what is read can be built and linted. */
import { expect, it } from 'vitest'
import { readManifest } from '../../../src/cluster/manifest/read.ts'
import { buildWorld, type Loaded } from '../../../src/policy/build.ts'
import { lint } from '../../../src/policy/lint/lint.ts'
import { readResource } from '../../../src/policy/resources/read.ts'
import { makeRandom, type Random } from '../../kernel/random.ts'
import { randomCluster } from '../random/cluster.ts'

const ANYTHING: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e9,
  0.5,
  '',
  'x',
  '*',
  '::',
  '10.0.0.0/8',
  [],
  [null],
  [[]],
  {},
  { a: 1 },
  { name: {} },
]

/** A copy in which one value, somewhere, is another one. */
function mutated(random: Random, value: unknown, depth = 0): unknown {
  const isList = Array.isArray(value)
  if (typeof value !== 'object' || value === null || (depth > 0 && random.chance(0.2))) return random.pick(ANYTHING)
  const keys = Object.keys(value)
  if (keys.length === 0) return random.pick(ANYTHING)
  const key = random.pick(keys)
  const inner = mutated(random, (value as Readonly<Record<string, unknown>>)[key], depth + 1)
  if (isList) return (value as readonly unknown[]).map((one, i) => (String(i) === key ? inner : one))
  return { ...value, [key]: inner }
}

it('never throws', () => {
  const outcomes = new Map<string, number>()
  for (let seed = 0; seed < 150; seed++) {
    const random = makeRandom(seed)
    const items = randomCluster(seed, 0).objects
    const { objects } = readManifest(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), 'random.json', { namespace: 'default' })
    for (let round = 0; round < 4; round++) {
      const loaded: Loaded[] = []
      for (const object of objects) {
        const { apiVersion, kind, ...rest } = object.value
        const value = random.chance(0.7) ? { apiVersion, kind, ...(mutated(random, rest) as object) } : object.value
        const result = readResource({ ...object, value })
        outcomes.set(result.kind, (outcomes.get(result.kind) ?? 0) + 1)
        if (result.kind === 'resource') loaded.push({ object: { ...object, value }, resource: result.resource })
        if (result.kind === 'refused')
          for (const { message, field } of result.problems) expect(`${field}${message}`).not.toContain('undefined')
      }
      expect(lint({ loaded, world: buildWorld(loaded) })).toBeDefined()
    }
  }
  expect(outcomes.get('refused')).toBeGreaterThan(1000)
  expect(outcomes.get('resource')).toBeGreaterThan(1000)
})
