/** What lint says is held against what the engine does with random clusters: a rule that is said never to decide must never decide. */
import { describe, expect, it } from 'vitest'
import { readManifest } from '../../../src/cluster/manifest/read.ts'
import type { FieldPath, ManifestObject } from '../../../src/cluster/manifest/types.ts'
import { buildWorld, type Loaded } from '../../../src/policy/build.ts'
import { evaluate } from '../../../src/policy/evaluate.ts'
import type { PolicyFlow } from '../../../src/policy/flow.ts'
import { lint } from '../../../src/policy/lint/lint.ts'
import { resolveEnd } from '../../../src/policy/query/ends.ts'
import { readResource } from '../../../src/policy/resources/read.ts'
import type { PolicyWorld } from '../../../src/policy/world.ts'
import type { Flow } from '../naive/flow.ts'
import { protocolNumber } from '../naive/objects.ts'
import { randomCluster } from '../random/cluster.ts'

const CLUSTERS = 250
const FLOWS = 100

function load(objects: readonly object[]): readonly Loaded[] {
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
  return readManifest(text, 'random.json', { namespace: 'default' }).objects.map((object) => {
    const read = readResource(object)
    if (read.kind !== 'resource') throw new Error(`refused: ${JSON.stringify(object.value)}`)
    return { object, resource: read.resource }
  })
}

function ask(world: PolicyWorld, { src, dst, protocol, port, srcPort, icmpType, icmpCode, class: hook, staged }: Flow) {
  const source = resolveEnd(world, src)
  const destination = resolveEnd(world, dst)
  if (!source || !destination) return undefined
  const flow: PolicyFlow = {
    source,
    destination,
    protocol: protocolNumber(protocol),
    ...(port !== undefined && { port }),
    ...(srcPort !== undefined && { sourcePort: srcPort }),
    ...(icmpType !== undefined && { icmpType }),
    ...(icmpCode !== undefined && { icmpCode }),
    ...(hook && { class: hook }),
    ...(staged && { staged }),
  }
  return evaluate(world, flow)
}

const placeOf = (object: ManifestObject, path: FieldPath): string =>
  `${object.apiVersion} ${object.kind} ${object.namespace}/${object.name} ${path.join('/')}`

/** Places of the rules that matched, of their peers, and of the policies that a decision went through. */
function decided(world: PolicyWorld, flows: readonly Flow[]): ReadonlySet<string> {
  const places = new Set<string>()
  for (const flow of flows) {
    const verdict = ask(world, flow)
    for (const judgement of verdict ? [verdict.egress, verdict.ingress] : []) {
      for (const step of judgement.steps) {
        if (step.kind === 'rule') {
          const { object } = step.policy.origin
          const { origin, peerOrigin } = step.rule
          for (const at of [origin, peerOrigin])
            if (at) for (let n = 1; n <= at.path.length; n++) places.add(placeOf(object, at.path.slice(0, n)))
        }
        if (step.kind === 'end-of-tier') for (const policy of step.policies) places.add(placeOf(policy.origin.object, ['subject']))
      }
    }
  }
  return places
}

/** Where a rule that a finding says can't decide stands. */
function impossible(code: string, path: FieldPath): FieldPath | undefined {
  const [, direction, index, field, peer] = path
  switch (code) {
    case 'LNT004':
    case 'LNT006':
    case 'LNT020':
      return path
    case 'LNT002':
      // of Calico's rules the end; of others the peer
      return field === 'from' || field === 'to'
        ? ['spec', direction ?? '', index ?? 0, field, peer ?? 0]
        : ['spec', direction ?? '', index ?? 0]
    case 'LNT001':
      return ['subject']
    case 'LNT016':
      return ['spec']
    default:
      return undefined
  }
}

describe('lint tells the truth', () => {
  const told = new Map<string, number>()

  it('what never decides does not decide', () => {
    for (let seed = 0; seed < CLUSTERS; seed++) {
      const { objects, flows } = randomCluster(seed, FLOWS)
      const loaded = load(objects)
      const world = buildWorld(loaded)
      const places = decided(
        world,
        flows.filter(({ staged }) => !staged),
      )
      for (const { code, at, message } of lint({ loaded, world })) {
        const path = impossible(code, at.path)
        if (!path) continue
        told.set(code, (told.get(code) ?? 0) + 1)
        expect(places.has(placeOf(at.object, path)), `seed ${seed}: ${message}`).toBe(false)
      }
    }
  })

  it('what is redundant can be left out', () => {
    let left = 0
    for (let seed = 0; seed < CLUSTERS; seed++) {
      const { objects, flows } = randomCluster(seed, FLOWS)
      const loaded = load(objects)
      const world = buildWorld(loaded)
      for (const { code, at, message } of lint({ loaded, world })) {
        const [, direction, index] = at.path
        if (code !== 'LNT005' || typeof index !== 'number') continue
        left++
        const without = load(
          loaded.map(({ object }) => (object === at.object ? withoutRule(object, String(direction), index) : object.value)),
        )
        const other = buildWorld(without)
        for (const flow of flows) {
          expect(ask(other, flow)?.allowed, `seed ${seed}: ${message}`).toBe(ask(world, flow)?.allowed)
        }
      }
    }
    expect(left).toBeGreaterThan(20)
  })

  it('is told often enough to mean something', () => {
    for (const code of ['LNT001', 'LNT002', 'LNT004', 'LNT006']) expect(told.get(code) ?? 0, code).toBeGreaterThan(50)
    for (const code of ['LNT016', 'LNT020']) expect(told.get(code) ?? 0, code).toBeGreaterThan(5)
  })
})

/** The types stay as they were: a direction without rules still isolates. */
function withoutRule({ value }: ManifestObject, direction: string, index: number): object {
  const spec = value.spec as Readonly<Record<string, unknown>>
  const rules = spec[direction] as readonly unknown[]
  const egress = spec.egress as readonly unknown[] | undefined
  const policyTypes = spec.policyTypes ?? ['Ingress', ...(egress && egress.length > 0 ? ['Egress'] : [])]
  return { ...value, spec: { ...spec, policyTypes, [direction]: rules.filter((_, i) => i !== index) } }
}
