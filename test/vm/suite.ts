/** Cases as tests: all of them run in one start of the emulated machine, then each is held against the walk and what was expected. */
import { beforeAll, describe, expect, test } from 'vitest'
import { traceFlow } from '../../src/trace/trace.ts'
import { compareProbe, seenText } from '../fuzz/compare.ts'
import type { Observation, Scenario } from '../fuzz/scenario.ts'
import { flowOf, snapshotOf } from '../fuzz/snapshot.ts'
import { needs } from '../support/needs.ts'
import { type FlowLine, forFamily, parseFlows } from '../support/netns-case.ts'
import { outcomeText } from '../support/outcome-text.ts'
import { scenarioOf, type VmCase } from './lab.ts'
import { runInVm } from './runner.ts'

interface Run {
  readonly scenario: Scenario
  readonly flows: readonly FlowLine[]
}

/** Both families by turns, as processes are dear in the emulated machine; all of both with NETCTL_VM=full. */
function runsOf(cases: readonly VmCase[]): readonly Run[] {
  return cases.flatMap((c, i) => {
    const families = c.families ?? ([4, 6] as const)
    const chosen = process.env.NETCTL_VM === 'full' ? families : families.slice(i % families.length).slice(0, 1)
    return chosen.map((family) => ({ scenario: scenarioOf(c, family), flows: parseFlows(forFamily(c.flows, family)) }))
  })
}

export function vmSuite(name: string, cases: readonly VmCase[]): void {
  describe.runIf(needs('vm'))(name, () => {
    const runs = runsOf(cases)
    const wrong = new Map<Run, readonly string[]>()
    const attempt = async (some: readonly Run[]) => {
      const observed = await runInVm(
        some.map((r) => r.scenario),
        60 + 20 * some.length,
      )
      for (const [i, run] of some.entries()) wrong.set(run, judge(run.scenario, observed[i] as Observation, run.flows))
    }
    beforeAll(async () => {
      await attempt(runs)
      // once more, in a machine of their own: a packet that a busy one lost is no answer
      const again = runs.filter((run) => wrong.get(run)?.length !== 0)
      if (again.length > 0) await attempt(again)
    }, 4_000_000)
    for (const run of runs) {
      test(run.scenario.name, () => {
        const list = wrong.get(run) ?? ['not run']
        expect(list, `\n  ${list.join('\n  ')}`).toEqual([])
      })
    }
  })
}

/** What was not as expected, of the kernel and of the walk. */
function judge(scenario: Scenario, observation: Observation, flows: readonly FlowLine[]): readonly string[] {
  if ('error' in observation) return [observation.error]
  const snapshot = snapshotOf(scenario, observation)
  return flows.flatMap((flow, i) => {
    const probe = scenario.probes[i] as Scenario['probes'][number]
    const seen = observation.seen[i] ?? []
    const { outcomes } = traceFlow(snapshot, flowOf(scenario, probe), { brief: true })
    const expected = [...flow.expected].sort().join(' | ')
    const same = (texts: readonly string[]) =>
      [...new Set(texts.map((t) => (flow.expected.includes('ok') && t.includes(' < ') ? 'ok' : t)))].sort().join(' | ')
    const kernels = same(seen.map(seenText))
    const ours = same(outcomes.map((o) => outcomeText(o, flow.proto)))
    const wrong = []
    if (kernels !== expected) wrong.push(`the kernel: ${flow.text}\n      but ${kernels}`)
    if (ours !== expected) wrong.push(`the walk: ${flow.text}\n      but ${ours} ${outcomes.map((o) => o.reason ?? '').join(' ')}`)
    const finding = compareProbe(probe, outcomes, seen)
    if (wrong.length === 0 && finding.kind === 'differs') wrong.push(finding.how)
    return wrong
  })
}
