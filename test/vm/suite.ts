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

export function vmSuite(name: string, cases: readonly VmCase[]): void {
  describe.runIf(needs('vm'))(name, () => {
    const runs = cases.flatMap((c) => (c.families ?? ([4, 6] as const)).map((family) => ({ c, family, scenario: scenarioOf(c, family) })))
    const observations = new Map<string, Observation>()
    beforeAll(async () => {
      for (const o of await runInVm(
        runs.map((r) => r.scenario),
        900,
      ))
        observations.set(o.name, o)
    }, 1_000_000)
    for (const { c, family, scenario } of runs) {
      test(scenario.name, () => {
        const wrong = judge(scenario, observations.get(scenario.name) as Observation, parseFlows(forFamily(c.flows, family)))
        expect(wrong, `\n  ${wrong.join('\n  ')}`).toEqual([])
      })
    }
  })
}

/** What was not as expected, of the kernel and of the walk. */
export function judge(scenario: Scenario, observation: Observation, flows: readonly FlowLine[]): readonly string[] {
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
