import { describe, expect, it } from 'vitest'
import { diffOf } from '../../../src/policy/matrix/diff.ts'
import { matrixOf } from '../../../src/policy/matrix/matrix.ts'
import { pairAt } from '../../../src/policy/matrix/plane.ts'
import { type PortClass, portClasses } from '../../../src/policy/matrix/ports.ts'
import type { PolicyWorld } from '../../../src/policy/world.ts'
import { randomCluster } from '../random/cluster.ts'
import { worldOfText } from '../world.ts'

const worldOf = (items: readonly object[]): PolicyWorld => worldOfText(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))

/** `opened a/x b/y 6:80-80`, of what differs between two matrices. */
function expected(before: PolicyWorld, after: PolicyWorld, ports: readonly PortClass[]): string[] {
  const [was, is] = [matrixOf(before, ports), matrixOf(after, ports)]
  const old = new Map(before.endpoints.map(({ id, index }) => [id, index]))
  const ends = after.endpoints.filter(({ id, kind }) => kind !== 'host' && old.has(id))
  return ports.flatMap((port, i) =>
    ends.flatMap((source) =>
      ends.flatMap((destination) => {
        if (source === destination) return []
        const [cellsWas, cellsIs] = [was.cells[i], is.cells[i]]
        if (!cellsWas || !cellsIs) return []
        const a = pairAt(cellsWas.allowed, old.get(source.id) as number, old.get(destination.id) as number)
        const b = pairAt(cellsIs.allowed, source.index, destination.index)
        return a === b ? [] : [line(b ? 'opened' : 'closed', source.id, destination.id, port)]
      }),
    ),
  )
}

const line = (kind: string, source: string, destination: string, { protocol, ranges }: PortClass): string =>
  `${kind} ${source} ${destination} ${protocol}:${ranges.map(({ lo, hi }) => `${lo}-${hi}`).join()}`

describe('what opens and closes', () => {
  it('is what differs between the two matrices, each pair and port once', () => {
    for (let seed = 0; seed < 60; seed++) {
      const { objects } = randomCluster(seed, 0)
      // some policies and pods go away, in turn
      const changed = objects.filter((_, i) => (i + seed) % 7 !== 0)
      const [before, after] = seed % 2 === 0 ? [worldOf(objects), worldOf(changed)] : [worldOf(changed), worldOf(objects)]
      const { changes } = diffOf(before, after)
      const said = changes.flatMap(({ kind, ports, sources, destinations }) =>
        ports.flatMap((port) =>
          sources.flatMap((source) =>
            destinations.flatMap((destination) => (source === destination ? [] : [line(kind, source.id, destination.id, port)])),
          ),
        ),
      )
      expect(said.sort(), `seed ${seed}`).toEqual(expected(before, after, portClasses([before, after])).sort())
      for (const { directions } of changes) expect(directions).not.toEqual([])
    }
  })

  const pod = (name: string, number: number): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'a', name, labels: { app: name.replace(/-.*/, '') } },
    spec: { nodeName: 'n', containers: [] },
    status: { podIP: `10.0.0.${number}` },
  })
  const pods = ['web-1', 'web-2', 'db', 'x'].map((name, i) => pod(name, i + 1))
  const policy = (name: string, port: number): object => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { namespace: 'a', name },
    spec: {
      podSelector: { matchLabels: { app: 'db' } },
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ port }] }],
    },
  })

  it('is said in one line for all that changes for one reason', () => {
    const { changes, added, removed } = diffOf(worldOf([...pods, policy('p', 5432)]), worldOf([...pods, policy('q', 80)]))
    const ids = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id)
    expect(
      changes.map(({ kind, ports, sources, destinations, directions }) => [
        kind,
        ports.map(({ ranges }) => ranges),
        ids(sources),
        ids(destinations),
        directions,
      ]),
    ).toEqual([
      ['opened', [[{ lo: 80, hi: 80 }]], ['a/web-1', 'a/web-2'], ['a/db'], ['ingress']],
      ['closed', [[{ lo: 5432, hi: 5432 }]], ['a/web-1', 'a/web-2'], ['a/db'], ['ingress']],
    ])
    const steps = changes.map(({ example }) => [example.before.ingress.steps.at(-1)?.kind, example.after.ingress.steps.at(-1)?.kind])
    expect(steps).toEqual([
      ['end-of-tier', 'rule'],
      ['rule', 'end-of-tier'],
    ])
    expect([added, removed]).toEqual([[], []])
  })

  it('is for one reason where one rule names them by several peers', () => {
    const peers = (names: readonly string[]): object => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { namespace: 'a', name: 'p' },
      spec: {
        podSelector: { matchLabels: { app: 'db' } },
        ingress: names.map((_, i) => ({ from: names.slice(i).map((app) => ({ podSelector: { matchLabels: { app } } })) })),
      },
    })
    const { changes } = diffOf(worldOf([...pods, peers([])]), worldOf([...pods, peers(['web', 'x'])]))
    expect(changes.map(({ kind, sources }) => [kind, sources.map(({ id }) => id)])).toEqual([['opened', ['a/web-1', 'a/web-2', 'a/x']]])
  })

  it('is not told of those who come and go', () => {
    const { changes, added, removed } = diffOf(worldOf(pods.slice(0, 3)), worldOf([...pods.slice(1), policy('p', 80)]))
    expect([added, removed]).toEqual([['a/x'], ['a/web-1']])
    expect(changes.flatMap(({ sources }) => sources.map(({ id }) => id))).toEqual(['a/web-2'])
  })
})
