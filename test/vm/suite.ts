/** Cases as tests: all of them run in one start of the emulated machine, then each is held against the walk and what was expected. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { Snapshot } from '../../src/snapshot/types.ts'
import { traceFlow } from '../../src/trace/trace.ts'
import { compareProbe } from '../fuzz/compare.ts'
import type { Observation, Probe, Scenario, Seen } from '../fuzz/scenario.ts'
import { flowOf, snapshotOf } from '../fuzz/snapshot.ts'
import { needs } from '../support/needs.ts'
import { type FlowLine, forFamily, parseFlows } from '../support/netns-case.ts'
import { outcomeText, seenText } from '../support/outcome-text.ts'
import { twice } from '../support/twice.ts'
import { scenarioOf, type VmCase } from './lab.ts'
import { runInVm } from './runner.ts'

interface Question {
  /** with all probes of the case */
  readonly scenario: Scenario
  readonly flow: FlowLine
  readonly probe: Probe
}

/** Both families by turns, as processes are dear in the emulated machine; all of both with NETCTL_VM=full. */
function questionsOf(cases: readonly VmCase[]): readonly (readonly Question[])[] {
  return cases.flatMap((c, i) => {
    const families = c.families ?? ([4, 6] as const)
    const chosen = process.env.NETCTL_VM === 'full' ? families : families.slice(i % families.length).slice(0, 1)
    return chosen.map((family) => {
      const scenario = scenarioOf(c, family)
      return parseFlows(forFamily(c.flows, family)).map((flow, at) => ({ scenario, flow, probe: scenario.probes[at] as Probe }))
    })
  })
}

export function vmSuite(name: string, cases: readonly VmCase[]): void {
  describe.runIf(needs('vm'))(name, () => {
    const runs = questionsOf(cases)
    let wrong: ReadonlyMap<Question, string>
    beforeAll(async () => {
      wrong = await twice(runs.flat(), ask)
    }, 4_000_000)
    for (const run of runs) {
      test(run[0]?.scenario.name ?? 'nothing', () => {
        const list = run.flatMap((question) => wrong.get(question) ?? [])
        expect(list, `\n  ${list.join('\n  ')}`).toEqual([])
      })
    }
  })
}

/** A handshake of WireGuard, emulated on a busy machine, takes seconds. */
const PATIENT = { patience: 8, batch: 2 }

/** What is wrong, of the kernel and of the walk; all in one start of the machine. */
async function ask(questions: readonly Question[], again: boolean): Promise<ReadonlyMap<Question, string>> {
  const groups = [...Map.groupBy(questions, ({ scenario }) => scenario)]
  const scenarios = groups.map(([scenario, some]) => ({ ...scenario, probes: some.map(({ probe }) => probe) }))
  const observed = await runInVm(scenarios, 60 + 20 * scenarios.length, again ? PATIENT : {})
  const wrong = new Map<Question, string>()
  for (const [i, [scenario, some]] of groups.entries()) {
    const observation = observed[i] as Observation
    if ('error' in observation) {
      for (const question of some) wrong.set(question, observation.error)
      continue
    }
    const snapshot = snapshotOf(scenario, observation)
    for (const [at, question] of some.entries()) {
      const how = judge(question, snapshot, observation.seen[at] ?? [])
      if (how !== undefined) wrong.set(question, how)
    }
  }
  return wrong
}

function judge({ scenario, flow, probe }: Question, snapshot: Snapshot, seen: readonly Seen[]): string | undefined {
  const { outcomes } = traceFlow(snapshot, flowOf(scenario, probe), { brief: true })
  const expected = [...flow.expected].sort().join(' | ')
  const same = (texts: readonly string[]) =>
    [...new Set(texts.map((t) => (flow.expected.includes('ok') && t.includes(' < ') ? 'ok' : t)))].sort().join(' | ')
  const kernels = same(seen.map(seenText))
  const ours = same(outcomes.map((o) => outcomeText(o, flow.proto)))
  const wrong = []
  if (kernels !== expected) wrong.push(`the kernel: ${flow.text}\n      but ${kernels}`)
  if (ours !== expected) wrong.push(`the walk: ${flow.text}\n      but ${ours} ${outcomes.map((o) => o.reason ?? '').join(' ')}`)
  if (wrong.length > 0) return wrong.join('\n  ')
  const finding = compareProbe(probe, outcomes, seen)
  return finding.kind === 'differs' ? finding.how : undefined
}
