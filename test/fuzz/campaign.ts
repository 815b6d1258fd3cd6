/** Many scenarios, some at a time: run, compare, run again what differs, shrink what still does, count. */
import { compareScenario, type Finding } from './compare.ts'
import { makeScenario, type Wanted } from './generate.ts'
import { runScenarios } from './runner.ts'
import type { Observation, Scenario } from './scenario.ts'
import { shrink } from './shrink.ts'

export interface Order {
  readonly seed: number
  readonly topologies: number
  readonly seconds: number
  readonly workers: number
  readonly shrink: boolean
  readonly wanted: Wanted
  readonly say: (text: string) => void
}

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

const together = 6
/** silence is waited for longer the second time, but not until a lost SYN is sent again */
const patient = 0.95

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
      const seeds = Array.from({ length: Math.min(together, last - next) }, () => next++)
      const scenarios = seeds.map((seed) => makeScenario(seed, order.wanted))
      const observed = await runScenarios(scenarios)
      for (const [i, scenario] of scenarios.entries()) await judge(order, tally, scenario, observed[i] as Observation)
    }
  }
  await Promise.all(Array.from({ length: order.workers }, worker))
  order.say(summary(tally))
  return tally
}

async function judge(order: Order, tally: Tally, scenario: Scenario, observed: Observation): Promise<void> {
  tally.topologies++
  if ('error' in observed) {
    tally.unlawful++
    order.say(`scenario ${scenario.name} could not be built: ${observed.error}`)
    return
  }
  let findings = compareScenario(scenario, observed)
  if (findings.some((f) => f.kind === 'differs')) findings = await confirm(scenario, findings)
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
  if (order.shrink) order.say(await shrink(scenario, findings))
}

/** What differs again, alone and in a network of its own, is a disagreement; a packet that a busy machine lost is not. */
async function confirm(scenario: Scenario, before: readonly Finding[]): Promise<readonly Finding[]> {
  const after = [...before]
  const doubtful = before.flatMap((f, i) => (f.kind === 'differs' ? [i] : []))
  for (let at = 0; at < doubtful.length; at += together) {
    const some = doubtful.slice(at, at + together)
    const alone = some.map((i) => ({ ...scenario, probes: scenario.probes.slice(i, i + 1) }))
    const again = await runScenarios(alone, patient)
    for (const [k, i] of some.entries()) {
      const observed = again[k]
      const [finding] = observed && 'files' in observed ? compareScenario(alone[k] as Scenario, observed) : []
      if (finding) after[i] = finding
    }
    // one group that is wrong throughout says enough
    if (some.every((i) => after[i]?.kind === 'differs')) break
  }
  return after
}

function summary(t: Tally): string {
  const share = (n: number) => `${((100 * n) / Math.max(1, t.packets)).toFixed(2)} %`
  const reasons = [...t.reasons].sort((x, y) => y[1] - x[1]).slice(0, 12)
  return [
    `${t.topologies} topologies, ${t.packets} packets (${share(t.delivered)} delivered): ${t.agreed} agreed, ${t.undecided} undecided (${share(t.undecided)}), ${t.differing} differ; ${t.unlawful} not built`,
    ...reasons.map(([reason, n]) => `  undecided ${n} ×: ${reason}`),
  ].join('\n')
}
