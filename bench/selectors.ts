/**
 * Who is selected by 2,000 policies among 10,000 pods (8,000 selectors: a subject and three peers each): the index held against asking
 * each pod about each selector, which is timed on one selector in 40. Both must select the same.
 */
import { count } from '../src/cluster/bitset.ts'
import { entitySelector, globalSubject, namespacedSubject, namespaceLabels, podLabels } from '../src/cluster/selector/calico.ts'
import { matches } from '../src/cluster/selector/evaluate.ts'
import { inheriting } from '../src/cluster/selector/labels.ts'
import { parseSelector } from '../src/cluster/selector/parse.ts'
import { indexLabels, select } from '../src/cluster/selector/select.ts'
import type { LabelSet, Selector } from '../src/cluster/selector/types.ts'
import { report } from './measure.ts'

const PLAIN = 40

for (const [pods, policies] of [
  [1000, 200],
  [2500, 500],
  [5000, 1000],
  [10_000, 2000],
] as const) {
  const things = cluster(pods)
  const asked = questions(policies, pods / 25)
  const seconds = best(5, () => {
    const index = indexLabels(things)
    for (const selector of asked) select(index, selector)
  })
  const index = indexLabels(things)
  const some = asked.filter((_, i) => i % PLAIN === 0)
  const plain = best(1, () => {
    for (const selector of some) {
      const n = things.filter((labels) => matches(selector, labels)).length
      if (n !== count(select(index, selector))) throw new Error('the index and the plain evaluation differ')
    }
  })
  const naive = plain * PLAIN
  report(
    `${pods} pods × ${policies} policies`,
    `${(seconds * 1000).toFixed(0)} ms`,
    `${(naive / seconds).toFixed(0)} × as fast as pod by pod (${naive.toFixed(1)} s)`,
  )
}

/** CPU seconds of the best of some runs. */
function best(runs: number, run: () => void): number {
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < runs; i++) {
    const before = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1e6)
  }
  return least
}

/** Pods of 25 to a namespace, with labels of every kind: few values, many, and one of its own. */
function cluster(pods: number): readonly LabelSet[] {
  const namespaces = Array.from({ length: pods / 25 }, (_, i) =>
    namespaceLabels(
      `ns${i}`,
      new Map([
        ['kubernetes.io/metadata.name', `ns${i}`],
        ['team', `team${i % 8}`],
        ['env', i % 3 ? 'prod' : 'dev'],
      ]),
    ),
  )
  return Array.from({ length: pods }, (_, i) => {
    const namespace = i % namespaces.length
    const own = new Map([
      ['app', `app${(i * 7) % 24}`],
      ['tier', ['web', 'api', 'db'][(i * 5) % 3] as string],
      ['pod-template-hash', `hash${i % 900}`],
      ['statefulset.kubernetes.io/pod-name', `pod-${i}`],
    ])
    return inheriting(podLabels(`ns${namespace}`, own, 'default'), [namespaces[namespace] as LabelSet])
  })
}

function questions(policies: number, namespaces: number): readonly Selector[] {
  return Array.from({ length: policies }, (_, i) => {
    const namespace = `ns${(i * 11) % namespaces}`
    const subject = read(`app == 'app${i % 24}' && tier in {'web', 'db'}`)
    const peers = [
      { selector: read(`tier == 'api' || app != 'app${i % 17}'`) },
      {
        selector: read(`has(tier) && !statefulset.kubernetes.io/pod-name starts with 'pod-${i % 90}'`),
        namespaceSelector: read(`team == 'team${i % 8}'`),
      },
      { selector: read(`pod-template-hash contains '${i % 50}'`), namespaceSelector: read(`env not in {'dev'} && team != 'team${i % 5}'`) },
    ]
    return [
      i % 10 === 0 ? globalSubject(subject, read(`env == 'prod'`)) : namespacedSubject(namespace, subject),
      ...peers.map((peer) => entitySelector(peer, namespace) as Selector),
    ]
  }).flat()
}

function read(text: string): Selector {
  const selector = parseSelector(text)
  if (selector.kind === 'error') throw new Error(selector.message)
  return selector
}
