import { describe, expect, test } from 'vitest'
import { readManifest } from '../../../src/cluster/manifest/read.ts'
import { evaluate } from '../../../src/policy/evaluate.ts'
import { endOf } from '../../../src/policy/query/ends.ts'
import { checkSnapshot } from '../../../src/policy/record/check.ts'
import { compareRecordings } from '../../../src/policy/record/compare.ts'
import { parsePortSet, portSet, portSetText, without } from '../../../src/policy/record/port-set.ts'
import { readPolicySnapshot } from '../../../src/policy/record/read.ts'
import { recordingOf } from '../../../src/policy/record/recording.ts'
import type { PolicyWorld } from '../../../src/policy/world.ts'
import { recordingJson, recordingYaml } from '../../../src/report/policy/recording-yaml.ts'
import { fc } from '../../support/properties.ts'
import { randomCluster } from '../random/cluster.ts'
import { worldOfText } from '../world.ts'

const worldOf = (items: readonly object[]): PolicyWorld => worldOfText(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
const written = (world: PolicyWorld): string => recordingYaml(recordingOf(world), 'x', [], 'netctl')
const reread = (text: string) => readPolicySnapshot(readManifest(text, 's.yaml', { namespace: 'default' }).objects[0] as never)

describe('port sets', () => {
  const ranges = fc.array(fc.tuple(fc.constantFrom(6, 17, 132), fc.integer({ min: 1, max: 65535 }), fc.integer({ min: 0, max: 3000 })), {
    maxLength: 8,
  })
  const set = ranges.map((list) => portSet(list.map(([protocol, lo, more]) => [protocol, { lo, hi: Math.min(65535, lo + more) }] as const)))
  const has = (s: ReturnType<typeof portSet>, protocol: number, port: number): boolean =>
    (s.get(protocol) ?? []).some(({ lo, hi }) => port >= lo && port <= hi)

  test('text and back; a difference port by port', () => {
    fc.assert(
      fc.property(set, set, fc.constantFrom(6, 17, 132), fc.integer({ min: 1, max: 65535 }), (a, b, protocol, port) => {
        const back = a.size === 0 ? a : parsePortSet(portSetText(a))
        expect(back).toEqual(a)
        expect(has(without(a, b), protocol, port)).toBe(has(a, protocol, port) && !has(b, protocol, port))
      }),
    )
  })

  test.each([
    ['all', 'all'],
    ['TCP; UDP; SCTP', 'all'],
    ['TCP 80-90, 85-100, 101', 'TCP 80-101'],
    ['udp 53; TCP', 'TCP; UDP 53'],
  ])('%s is %s', (text, same) => {
    expect(portSetText(parsePortSet(text) ?? new Map())).toBe(same)
  })

  test.each(['', 'TPC 80', 'TCP 0', 'TCP 70000', 'TCP 90-80', 'TCP 80,', 'TCP http'])('%j is none', (text) => {
    expect(parsePortSet(text)).toBeUndefined()
  })
})

describe('recordings of random clusters', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const world = worldOf(randomCluster(seed, 1).objects)
    const recording = recordingOf(world)

    test(`${seed}: YAML and JSON say the same`, () => {
      const read = reread(recordingJson(recording, 'x', ['m']))
      expect([read.recording, read.manifests]).toEqual([reread(written(world)).recording, ['m']])
    })

    test(`${seed}: every pair and port as it is judged`, () => {
      const groupOf = new Map([...recording.groups].flatMap(([group, members]) => members.map((member) => [member, group] as const)))
      const nameOf = new Map([...recording.endpoints].map(([name, endpoint]) => [endpoint, name]))
      const ends = [...recording.endpoints.values()]
      for (const from of ends) {
        for (const to of ends) {
          if (from === to) continue
          const [source, destination] = [groupOf.get(nameOf.get(from) ?? '') ?? '', groupOf.get(nameOf.get(to) ?? '') ?? '']
          const allowed = parsePortSet(recording.allowed.get(source)?.get(destination) ?? '') ?? new Map()
          for (const [protocol, port] of [
            [6, 80],
            [6, 8080],
            [17, 53],
            [132, 443],
            [6, 1],
          ] as const) {
            const { verdict } = evaluate(world, { source: endOf(from), destination: endOf(to), protocol, port })
            const said = (allowed.get(protocol) ?? []).some(({ lo, hi }: { lo: number; hi: number }) => port >= lo && port <= hi)
            expect([from.id, to.id, protocol, port, said]).toEqual([from.id, to.id, protocol, port, verdict === 'allow'])
          }
        }
      }
    })

    test(`${seed}: the same text twice, and nothing differs from it`, () => {
      const text = written(world)
      expect(written(worldOf(randomCluster(seed, 1).objects))).toBe(text)
      expect(checkSnapshot(world, reread(text))).toMatchObject({ changes: [], added: [], removed: [] })
    })
  }
})

const pod = (name: string, app: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: shop, labels: {app: ${app}}}\nspec: {nodeName: n1, containers: [{name: c}]}\n---\n`
const open = (name: string, ports: string) =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: shop}\nspec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: ${ports}}]}\n---\n`
const PODS = pod('web-1', 'web') + pod('web-2', 'web') + pod('db', 'db')

describe('what differs', () => {
  const before = recordingOf(worldOfText(PODS + open('a', '[{port: 80}, {port: 81, endPort: 90}]')))
  const now = (text: string) => compareRecordings(before, recordingOf(worldOfText(text)))

  test('opened and closed ports, for all pods that share the change', () => {
    expect(now(PODS + open('a', '[{port: 85, endPort: 95}]')).changes).toEqual([
      { kind: 'opened', ports: 'TCP 91-95', from: ['shop/web-1', 'shop/web-2'], to: ['shop/db'] },
      { kind: 'closed', ports: 'TCP 80-84', from: ['shop/web-1', 'shop/web-2'], to: ['shop/db'] },
    ])
  })

  test('of one that was alike with others', () => {
    const changed = pod('web-1', 'web') + pod('web-2', 'other') + pod('db', 'db') + open('a', '[{port: 80}, {port: 81, endPort: 90}]')
    expect(now(changed).changes).toEqual([{ kind: 'closed', ports: 'TCP 80-90', from: ['shop/web-2'], to: ['shop/db'] }])
  })

  test('pods that come and go', () => {
    const changed = pod('web-1', 'web') + pod('web-3', 'web') + pod('db', 'db') + open('a', '[{port: 80}, {port: 81, endPort: 90}]')
    expect(now(changed)).toEqual({ changes: [], added: ['shop/web-3'], removed: ['shop/web-2'] })
  })
})

test('pods of a workload that fare alike go by its name, which outlives them', () => {
  const owned = (name: string, hash: string) =>
    pod(name, 'web').replace(
      'labels:',
      `ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-${hash}, uid: u, controller: true}], labels:`,
    )
  const first = recordingOf(worldOfText(owned('web-abc-1', 'abc') + owned('web-abc-2', 'abc') + pod('db', 'db')))
  const second = recordingOf(worldOfText(owned('web-def-9', 'def') + pod('db', 'db')))
  expect([...first.endpoints.keys()].sort()).toEqual(['shop/db', 'shop/web[Deployment]'])
  expect(compareRecordings(first, second)).toEqual({ changes: [], added: [], removed: [] })
})

test('a snapshot that was written by hand, badly', () => {
  const text = 'apiVersion: netctl.dev/v1alpha1\nkind: PolicySnapshot\nspec:\n  endpoints: [a/b]\n  allowed:\n    a/b:\n      a/b: TPC 80\n'
  expect(() => reread(text)).toThrow(`spec.allowed['a/b']['a/b']: must be ports, like TCP 80, 443; UDP, not "TPC 80"`)
})
