/**
 * The policy matrix of synthetic clusters, whole process: every pair of pods, all ports, beside what the peers took for theirs (recorded:
 * their CPU seconds are of another day on the same kind of machine). Counts must be those on which four engines agree; at larger
 * sizes, 500 random pairs must fare as the naive evaluator of test/policy/naive says. Needs python3 and the generator.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { makeRandom } from '../test/kernel/random.ts'
import { endpoints } from '../test/policy/naive/endpoints.ts'
import { evaluate } from '../test/policy/naive/evaluate.ts'
import type { KubeObject } from '../test/policy/naive/objects.ts'
import { inScratch, netctl, peakMemory, race, report } from './measure.ts'

const bench = resolve(import.meta.dirname, '../../shared/bench')
const SAMPLE = 500

interface Peer {
  readonly tool: string
  readonly pods: number
  readonly policies: number
  readonly status: number
  readonly cpu_min: number
  readonly rss_mib: number
}

if (!existsSync(bench)) report('policy matrix', 'skipped', 'needs ../shared/bench')
else {
  const expected = json<Record<string, { readonly allowed_tcp80: number }>>('policy-expected-2026-11-22.json')
  const peers = json<readonly Peer[]>('policy-peers-2026-11-22.json')
  for (const [pods, policies] of [
    [100, 20],
    [100, 100],
    [100, 500],
    [1000, 100],
    [2000, 500],
    [10_000, 2000],
  ] as const) {
    inScratch((scratch) => {
      const arguments_ = [join(bench, 'gen_policy_cluster.py'), scratch, '--pods', `${pods}`, '--policies', `${policies}`, '--seed', '7']
      execFileSync('python3', arguments_)
      const matrix = [...netctl, 'policy', 'matrix', '-f', join(scratch, 'manifests'), '-o', 'json']
      const seconds = race([{ name: 'netctl', argv: matrix }], pods > 2000 ? 2 : 3).get('netctl') ?? Number.NaN
      const of = peers.filter(
        (peer) => peer.pods === pods && peer.policies === policies && peer.status === 0 && !peer.tool.includes('one pair'),
      )
      const best = of.toSorted((a, b) => a.cpu_min - b.cpu_min)[0]
      const beside = best ? `${best.tool} ${best.cpu_min.toFixed(2)} s, ${best.rss_mib.toFixed(0)} MiB` : 'no peer ends within two minutes'
      report(
        `matrix, ${pods} × ${policies}, all ports`,
        `${seconds.toFixed(2)} s`,
        `${(peakMemory(matrix) / 1.048576).toFixed(0)} MiB   ${beside}`,
      )
      const answer = JSON.parse(
        execFileSync(matrix[0] as string, [...matrix.slice(1), '--port', '80'], { encoding: 'utf8', maxBuffer: 2 ** 30 }),
      ) as Answer
      const count = countAllowed(answer)
      const wanted = expected[`${pods}x${policies}`]?.allowed_tcp80
      if (wanted !== undefined && wanted !== count) throw new Error(`${count} pairs allowed, ${wanted} expected`)
      report('  pairs allowed at TCP 80', String(count), wanted === undefined ? sampled(answer, scratch) : 'as four engines agree')
    })
  }
}

interface Answer {
  readonly sources: readonly (readonly string[])[]
  readonly destinations: readonly (readonly string[])[]
  readonly rows: readonly {
    readonly source: number
    readonly access: readonly { readonly allowed: readonly number[]; readonly destinations: readonly number[] }[]
  }[]
}

function* allowedGroups({ rows, sources, destinations }: Answer): Iterable<readonly [readonly string[], readonly string[]]> {
  for (const { source, access } of rows) {
    for (const { allowed, destinations: reached } of access) {
      if (allowed.length > 0) for (const destination of reached) yield [sources[source] ?? [], destinations[destination] ?? []]
    }
  }
}

/** Ordered pairs, without those of a pod with itself. */
function countAllowed(answer: Answer): number {
  let count = 0
  const sets = new Map(answer.destinations.map((ids) => [ids, new Set(ids)]))
  for (const [from, to] of allowedGroups(answer)) count += from.length * to.length - from.filter((id) => sets.get(to)?.has(id)).length
  return count
}

/** Random pairs, by the naive evaluator. */
function sampled(answer: Answer, folder: string): string {
  const objects = ['namespaces', 'pods', 'policies'].flatMap((name) =>
    readFileSync(join(folder, 'manifests', `${name}.yaml`), 'utf8')
      .split('---\n')
      .filter((text) => text !== '')
      .map((text) => JSON.parse(text) as KubeObject),
  )
  const everyone = endpoints(objects)
  const [from, to] = [classes(answer.sources), classes(answer.destinations)]
  const allowed = new Set(
    answer.rows.flatMap(({ source, access }) =>
      access.flatMap((x) => (x.allowed.length > 0 ? x.destinations.map((d) => `${source} ${d}`) : [])),
    ),
  )
  const random = makeRandom(7)
  const ids = [...from.keys()]
  for (let asked = 0; asked < SAMPLE; ) {
    const [src, dst] = [random.pick(ids), random.pick(ids)]
    if (src === dst) continue
    asked++
    const naive = evaluate(objects, { src, dst, protocol: 'TCP', port: 80 }, everyone)
    if (naive.allowed !== allowed.has(`${from.get(src)} ${to.get(dst)}`))
      throw new Error(`${src} → ${dst}: the naive evaluator says ${naive.verdict}`)
  }
  return `as the naive evaluator says of ${SAMPLE} of them`
}

function classes(parties: readonly (readonly string[])[]): ReadonlyMap<string, number> {
  return new Map(parties.flatMap((members, i) => members.map((id) => [id, i] as const)))
}

function json<T>(name: string): T {
  return JSON.parse(readFileSync(join(bench, name), 'utf8')) as T
}
