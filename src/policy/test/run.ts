import { decisionOf } from '../decision.ts'
import { evaluate } from '../evaluate.ts'
import type { End, PolicyFlow } from '../flow.ts'
import { classOf } from '../matrix/matrix.ts'
import type { PortClass } from '../matrix/ports.ts'
import type { Policy } from '../model.ts'
import { ICMP, SCTP, TCP, UDP } from '../protocols.ts'
import type { Scene } from '../query/services.ts'
import type { Verdict } from '../verdict.ts'
import { membersOf, refuseExpectation } from './members.ts'
import { type Target, targetsOf } from './targets.ts'
import type { Expectation } from './types.ts'

/** How an expectation fared. A *no* outranks a *can't tell*. */
export interface TestResult {
  readonly expectation: Expectation
  readonly outcome: 'pass' | 'fail' | 'unknown'
  /** pairs and ports that were asked, or stand for one that was */
  readonly checked: number
  readonly failed: number
  readonly unknown: number
  /** the first of those that don't hold, failed ones first */
  readonly shortfalls: readonly Shortfall[]
}

/** A flow that does not fare as expected. */
export interface Shortfall {
  /** `by`: the right answer, by another policy */
  readonly kind: 'wrong' | 'by' | 'unknown'
  readonly flow: PolicyFlow
  /** the ports that fare as the flow's does */
  readonly alike?: PortClass
  readonly verdict: Verdict
}

/** How many flows of one expectation are told. */
const SHOWN = 5

/** Asks for every pair of an expectation. Throws NetctlError where it can't be asked. */
export function runExpectation(scene: Scene, expectation: Expectation): TestResult {
  const { world } = scene
  const sources = membersOf(world, expectation, 'from', scene.namespace)
  const targets = targetsOf(scene, expectation)
  // a pod reaches itself whatever policies say: a wildcard does not mean that
  const wild = expectation.from.kind === 'pods' || expectation.to.kind === 'pods'
  const alike = groupingFor(scene, expectation, sources.length * targets.length)
  const sent = grouped(sources, alike)
  const asked = grouped(targets, ({ end, protocol, port }) => `${alike(end)} ${protocol} ${port}`)
  const tally: Tally = { checked: 0, failed: 0, unknown: 0, wrong: [], open: [] }
  for (const [group, from] of sent) {
    for (const to of asked.values()) {
      // only ends that nothing tells apart can be one and the same
      const pairs = wild && alike((to[0] as Target).end) === group ? distinctPairs(from, to) : allPairs(from, to)
      if (pairs.count > 0) ask(scene, expectation, pairs, tally)
    }
  }
  const { checked, failed, unknown, wrong, open } = tally
  if (checked === 0) refuseExpectation(expectation, [], 'the only pod at both ends is one and the same, which always reaches itself')
  const outcome = failed > 0 ? 'fail' : unknown > 0 ? 'unknown' : 'pass'
  return { expectation, outcome, checked, failed, unknown, shortfalls: [...wrong, ...open].slice(0, SHOWN) }
}

/** Every flow of an expectation, one by one. */
export function* flowsOf(scene: Scene, expectation: Expectation): Iterable<PolicyFlow> {
  const sources = membersOf(scene.world, expectation, 'from', scene.namespace)
  const targets = targetsOf(scene, expectation)
  const wild = expectation.from.kind === 'pods' || expectation.to.kind === 'pods'
  for (const pair of (wild ? distinctPairs : allPairs)(sources, targets).first()) yield flowOf(pair, expectation)
}

interface Tally {
  checked: number
  failed: number
  unknown: number
  readonly wrong: Shortfall[]
  readonly open: Shortfall[]
}

type Pair = readonly [End, Target]

/** Pairs that fare alike: how many, and the first few. */
interface Pairs {
  readonly count: number
  readonly first: () => Iterable<Pair>
}

function ask({ world }: Scene, expectation: Expectation, { count, first }: Pairs, tally: Tally): void {
  tally.checked += count
  const [pair] = first()
  if (!pair) return
  const kind = shortfallOf(evaluate(world, flowOf(pair, expectation)), expectation)
  if (kind === undefined) return
  if (kind === 'unknown') tally.unknown += count
  else tally.failed += count
  const list = kind === 'unknown' ? tally.open : tally.wrong
  for (const one of first()) {
    if (list.length >= SHOWN) return
    const flow = flowOf(one, expectation)
    list.push({ kind, flow, verdict: evaluate(world, flow), ...(one[1].alike && { alike: one[1].alike }) })
  }
}

/**
 * What tells ends apart. For few pairs, or where the policy that decides matters too, each end is one of its own; else pods that no
 * policy tells apart are asked about once.
 */
function groupingFor({ world }: Scene, expectation: Expectation, pairs: number): (end: End) => string {
  const protocols = expectation.ports.kind === 'list' ? expectation.ports.ports.map((p) => p.protocol ?? TCP) : []
  const usual = protocols.every((protocol) => [TCP, UDP, SCTP, ICMP].includes(protocol))
  const classes = pairs > 100 && expectation.by === undefined && !expectation.staged && usual ? classOf(world) : undefined
  return ({ endpoint, id }) => {
    const own = endpoint === undefined || endpoint.kind === 'host' ? undefined : classes?.[endpoint.index]
    return own === undefined ? id : `#${own}`
  }
}

const grouped = <T>(list: readonly T[], key: (one: T) => string): ReadonlyMap<string, readonly T[]> => Map.groupBy(list, key)

const allPairs = (sources: readonly End[], targets: readonly Target[]): Pairs => ({
  count: sources.length * targets.length,
  first: () => pairsOf(sources, targets),
})

function distinctPairs(sources: readonly End[], targets: readonly Target[]): Pairs {
  const own = new Set(sources.flatMap(({ endpoint }) => endpoint ?? []))
  const same = targets.filter(({ end }) => end.endpoint !== undefined && own.has(end.endpoint)).length
  return {
    count: sources.length * targets.length - same,
    *first() {
      for (const pair of pairsOf(sources, targets))
        if (pair[0].endpoint === undefined || pair[0].endpoint !== pair[1].end.endpoint) yield pair
    },
  }
}

function* pairsOf(sources: readonly End[], targets: readonly Target[]): Generator<Pair> {
  for (const source of sources) for (const target of targets) yield [source, target]
}

function flowOf([source, { end, protocol, port }]: Pair, { staged }: Expectation): PolicyFlow {
  return { source, destination: end, protocol, ...(port !== undefined && { port }), ...(staged && { staged }) }
}

/** What is wrong with a verdict, if anything is. Allowed at L4 is allowed: the connection comes about. */
export function shortfallOf(verdict: Verdict, { expect, by }: Pick<Expectation, 'expect' | 'by'>): Shortfall['kind'] | undefined {
  if (verdict.verdict === 'unknown' || verdict.verdict === 'undefined' || verdict.verdict === 'ambiguous') return 'unknown'
  // a proxy may still refuse what the kernel lets pass
  if (verdict.verdict === 'l4-only' && expect === 'deny') return 'unknown'
  if (verdict.allowed !== (expect === 'allow')) return 'wrong'
  return by === undefined || decidedBy(verdict, by) ? undefined : 'by'
}

/** Does a policy of that name decide? Of a denied flow on a side that denies; of an allowed one on either side. */
function decidedBy(verdict: Verdict, by: string): boolean {
  const sides = [verdict.egress, verdict.ingress].filter((side) => verdict.allowed || side.verdict === 'deny')
  return sides.some((side) => {
    const decision = decisionOf(side)
    const policies = decision?.policy ? [decision.policy] : (decision?.policies ?? [])
    return policies.some((policy) => isCalled(policy, by))
  })
}

const isCalled = ({ namespace, name }: Policy, by: string): boolean =>
  by === name || (namespace !== undefined && by === `${namespace}/${name}`)
