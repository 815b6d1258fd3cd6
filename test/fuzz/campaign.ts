/** Many scenarios, some at a time: run, compare, run again what differs, shrink what still does, count. */
import { compareScenario, type Finding } from './compare.ts'
import { patience, runScenarios } from './runner.ts'
import type { Observation, Scenario } from './scenario.ts'
import { shrink } from './shrink.ts'

export interface Order {
  readonly seed: number
  readonly topologies: number
  readonly seconds: number
  readonly workers: number
  readonly shrink: boolean
  readonly make: (seed: number) => Scenario
  readonly kernel: Kernel
  readonly say: (text: string) => void
}

/** Where scenarios are built and probed. */
export interface Kernel {
  /** Observations in the order of the scenarios. Silence is waited for longer the second time, but not until a lost SYN is sent again. */
  run(scenarios: readonly Scenario[], again: boolean): Promise<readonly Observation[]>
  /** scenarios at a time */
  readonly together: number
}

export const ownKernel: Kernel = { run: (scenarios, again) => runScenarios(scenarios, again ? 0.95 : patience), together: 6 }

export interface Tally {
  topologies: number
  packets: number
  agreed: number
  delivered: number
  undecided: number
  differing: number
  /** scenarios that could not be built */
  unlawful: number
  readonly reasons: Map<string, number>
}

export async function campaign(order: Order): Promise<Tally> {
  const tally: Tally = {
    topologies: 0,
    packets: 0,
    agreed: 0,
    delivered: 0,
    undecided: 0,
    differing: 0,
    unlawful: 0,
    reasons: new Map(),
  }
  const end = Date.now() + order.seconds * 1000
  let next = order.seed
  const last = order.seed + order.topologies
  const worker = async () => {
    while (next < last && Date.now() < end) {
      const seeds = Array.from({ length: Math.min(order.kernel.together, last - next) }, () => next++)
      const scenarios = seeds.map(order.make)
      await judge(order, tally, scenarios, await order.kernel.run(scenarios, false))
    }
  }
  await Promise.all(Array.from({ length: order.workers }, worker))
  order.say(summary(tally))
  return tally
}

async function judge(order: Order, tally: Tally, scenarios: readonly Scenario[], observed: readonly Observation[]): Promise<void> {
  const compared = scenarios.map((scenario, i) => {
    const o = observed[i]
    return o && 'files' in o ? compareScenario(scenario, o) : []
  })
  const confirmed = await confirm(order.kernel, scenarios, compared)
  for (const [i, scenario] of scenarios.entries()) await count(order, tally, scenario, observed[i], confirmed[i] ?? [])
}

async function count(
  order: Order,
  tally: Tally,
  scenario: Scenario,
  observed: Observation | undefined,
  findings: readonly Finding[],
): Promise<void> {
  tally.topologies++
  if (!observed || 'error' in observed) {
    tally.unlawful++
    order.say(`scenario ${scenario.name} could not be built: ${observed?.error}`)
    return
  }
  for (const [i, finding] of findings.entries()) {
    tally.packets++
    if (observed.seen[i]?.some((s) => s.kind === 'delivered')) tally.delivered++
    if (finding.kind === 'agreed') tally.agreed++
    if (finding.kind === 'undecided') {
      tally.undecided++
      for (const reason of new Set(finding.reasons)) tally.reasons.set(reason, (tally.reasons.get(reason) ?? 0) + 1)
    }
    if (finding.kind === 'differs') tally.differing++
  }
  const wrong = findings.filter((f) => f.kind === 'differs')
  if (wrong.length === 0) return
  order.say(`scenario ${scenario.name} (IPv${scenario.family}): ${wrong.length} of ${findings.length} differ\n${wrong[0]?.how}`)
  if (order.shrink) order.say(await shrink(scenario, findings, (some) => order.kernel.run(some, true)))
}

/** A few packets of one scenario that are all wrong say enough. */
const few = 6

/** What differs again, alone and in a network of its own, is a disagreement; a packet that a busy machine lost is not. */
async function confirm(
  kernel: Kernel,
  scenarios: readonly Scenario[],
  before: readonly (readonly Finding[])[],
): Promise<readonly (readonly Finding[])[]> {
  const after = before.map((list) => [...list])
  let doubtful = before.map((list) => list.flatMap((f, i) => (f.kind === 'differs' ? [i] : [])))
  while (doubtful.some((list) => list.length > 0)) {
    const some = doubtful.flatMap((list, s) =>
      list.slice(0, few).map((i) => ({ list: after[s] as Finding[], i, alone: onlyProbe(scenarios[s], i) })),
    )
    for (let at = 0; at < some.length; at += kernel.together) {
      const group = some.slice(at, at + kernel.together)
      const again = await kernel.run(
        group.map(({ alone }) => alone),
        true,
      )
      for (const [k, { list, i, alone }] of group.entries()) {
        const observed = again[k]
        const [finding] = observed && 'files' in observed ? compareScenario(alone, observed) : []
        if (finding) list[i] = finding
      }
    }
    doubtful = doubtful.map((list, s) => (list.slice(0, few).every((i) => after[s]?.[i]?.kind === 'differs') ? [] : list.slice(few)))
  }
  return after
}

const onlyProbe = (scenario: Scenario | undefined, i: number): Scenario => {
  const probe = scenario?.probes[i]
  if (!scenario || !probe) throw new RangeError(`no probe ${i}`)
  return { ...scenario, probes: [probe] }
}

function summary(t: Tally): string {
  const share = (n: number) => `${((100 * n) / Math.max(1, t.packets)).toFixed(2)} %`
  const reasons = [...t.reasons].sort((x, y) => y[1] - x[1]).slice(0, 12)
  return [
    `${t.topologies} topologies, ${t.packets} packets (${share(t.delivered)} delivered): ${t.agreed} agreed, ${t.undecided} undecided (${share(t.undecided)}), ${t.differing} differ; ${t.unlawful} not built`,
    ...reasons.map(([reason, n]) => `  undecided ${n} ×: ${reason}`),
  ].join('\n')
}
