import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { evaluate } from '../../../src/policy/evaluate.ts'
import type { End } from '../../../src/policy/flow.ts'
import { classOf, isInMatrix, type Matrix, matrixOf, verdictAt } from '../../../src/policy/matrix/matrix.ts'
import { pairAt } from '../../../src/policy/matrix/plane.ts'
import { portClasses } from '../../../src/policy/matrix/ports.ts'
import { TCP } from '../../../src/policy/protocols.ts'
import type { Endpoint, PolicyWorld } from '../../../src/policy/world.ts'
import { needs } from '../../support/needs.ts'
import { policyCases } from '../../support/policy-cases.ts'
import { casesOf, loadCase, worldOf } from '../cases.ts'
import { randomCluster } from '../random/cluster.ts'
import { worldOfText } from '../world.ts'

const TCP_80 = { protocol: TCP, ranges: [{ lo: 80, hi: 80 }] }

const end = (endpoint: Endpoint): End => ({
  id: endpoint.id,
  endpoint,
  addresses: endpoint.addresses,
  ...(endpoint.node !== undefined && { node: endpoint.node }),
})

/** Where the matrix, read by classes alone, and the evaluation of the single flow differ; every port at a border of a class is asked. */
function differences(world: PolicyWorld): string[] {
  const ports = portClasses([world])
  const { sources, destinations, cells } = matrixOf(world, ports)
  const standsFor = ({ of, first }: typeof sources, { index }: Endpoint) => first[of[index] as number] as number
  const ends = world.endpoints.filter(isInMatrix)
  return cells.flatMap((cell, i) => {
    const { protocol, ranges } = ports[i] as (typeof ports)[number]
    const asked = ranges.length === 0 ? [undefined] : ranges.flatMap(({ lo, hi }) => (lo === hi ? [lo] : [lo, hi]))
    return ends.flatMap((source) =>
      ends.flatMap((destination) => {
        if (source === destination) return []
        const said = verdictAt(cell, standsFor(sources, source), standsFor(destinations, destination))
        return asked.flatMap((port) => {
          const flow = { source: end(source), destination: end(destination), protocol, ...(port !== undefined && { port }) }
          const { verdict } = evaluate(world, flow)
          return verdict === said ? [] : [`${source.id} → ${destination.id} ${protocol}:${port} is ${verdict}, the matrix has ${said}`]
        })
      }),
    )
  })
}

/** Ordered pairs of different endpoints, for each port. */
const countAllowed = ({ world, cells }: Matrix): number[] =>
  cells.map(({ allowed }) => {
    const ends = world.endpoints.map(({ index }) => index)
    return ends.reduce(
      (n, source) => n + ends.filter((destination) => source !== destination && pairAt(allowed, source, destination)).length,
      0,
    )
  })

describe('the matrix says what the evaluation of each flow says', () => {
  it('of random clusters with policies of every kind', () => {
    for (let seed = 0; seed < 120; seed++) {
      const { objects } = randomCluster(seed, 0)
      const world = worldOfText(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
      expect(differences(world), `seed ${seed}`).toEqual([])
    }
  })

  it.runIf(needs('policy-cases'))('of the cases of other tools', () => {
    for (const peer of ['calico', 'disagreements', 'network-policy-api', 'netpol-analyzer']) {
      for (const given of casesOf(peer)) {
        const world = worldOf(loadCase(given.folder).loaded, given.ends)
        if (world.endpoints.length <= 12) expect(differences(world), given.name).toEqual([])
      }
    }
  })
})

describe('classes', () => {
  const pod = (id: string, app: string, number: number): object => {
    const [namespace, name] = id.split('/')
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name, labels: { app } },
      spec: { nodeName: 'n', containers: [] },
      status: { podIP: `10.0.0.${number}` },
    }
  }
  const policy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { namespace: 'a', name: 'db' },
    spec: {
      podSelector: { matchLabels: { app: 'db' } },
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ port: 5432 }, { port: 9000, endPort: 9010 }] }],
    },
  }
  const items = [
    pod('a/web-1', 'web', 1),
    pod('a/web-2', 'web', 2),
    pod('a/db', 'db', 3),
    pod('b/web', 'web', 4),
    pod('b/other', 'x', 5),
    policy,
  ]
  const world = worldOfText(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  const ids = (of: Int32Array): string[] => {
    const byClass = Map.groupBy(world.endpoints, ({ index }) => of[index])
    return [...byClass.values()].map((members) => members.map(({ id }) => id).join(' '))
  }

  it('sources and destinations are told apart only where a policy does', () => {
    const matrix = matrixOf(world, portClasses([world]))
    // as a source, a/db is like any that is no web of namespace a
    expect(ids(matrix.sources.of)).toEqual(['a/web-1 a/web-2', 'a/db b/web b/other'])
    expect(ids(matrix.destinations.of)).toEqual(['a/web-1 a/web-2 b/web b/other', 'a/db'])
    expect(ids(classOf(world))).toEqual(['a/web-1 a/web-2', 'a/db', 'b/web b/other'])
  })

  it('ports too', () => {
    const [others, named, ...rest] = portClasses([world])
    expect(others?.ranges).toEqual([
      { lo: 1, hi: 5431 },
      { lo: 5433, hi: 8999 },
      { lo: 9011, hi: 65535 },
    ])
    expect(named?.ranges).toEqual([
      { lo: 5432, hi: 5432 },
      { lo: 9000, hi: 9010 },
    ])
    expect(rest.map(({ protocol, ranges }) => [protocol, ranges.length])).toEqual([
      [17, 1],
      [132, 1],
      [1, 0],
    ])
  })

  it('no pair of a pod with itself is counted', () => {
    const matrix = matrixOf(world, [TCP_80])
    // 20 pairs, of which the four into a/db are denied at port 80
    expect(countAllowed(matrix)).toEqual([16])
  })
})

/** Four engines in agreement: allowed ordered pairs at TCP 80. */
describe.runIf(needs('policy-cases', 'python3'))('counts of the benchmark clusters', () => {
  const bench = resolve(policyCases, '../bench')
  const expected = JSON.parse(readFileSync(join(bench, 'policy-expected-2026-11-22.json'), 'utf8')) as Record<
    string,
    { allowed_tcp80: number }
  >
  it.each(Object.keys(expected))('%s', (size) => {
    const [pods = '', policies = ''] = size.split('x')
    const folder = mkdtempSync(join(tmpdir(), 'netctl-matrix-'))
    try {
      execFileSync('python3', [join(bench, 'gen_policy_cluster.py'), folder, '--pods', pods, '--policies', policies])
      const { loaded } = loadCase(folder)
      const matrix = matrixOf(worldOf(loaded), [TCP_80])
      expect(countAllowed(matrix)).toEqual([expected[size]?.allowed_tcp80])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
