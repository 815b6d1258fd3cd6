/**
 * For whoever looks into a disagreement: builds a scenario once and prints it, what the kernel did, and the walk's hops.
 *
 *     node test/fuzz/show.ts SEED [WORD…]     only probes whose text has the words; `-` for SEED reads a scenario from stdin
 */
import { readFileSync } from 'node:fs'
import { traceFlow } from '../../src/trace/trace.ts'
import { seenText } from '../support/outcome-text.ts'
import { compareScenario, probeText } from './compare.ts'
import { makeScenario } from './generate.ts'
import { runScenarios } from './runner.ts'
import type { Scenario } from './scenario.ts'
import { printScenario } from './shrink.ts'
import { flowOf, snapshotOf } from './snapshot.ts'

const [seed = '1', ...words] = process.argv.slice(2)
const flag = (name: string) => words.includes(name) && words.splice(words.indexOf(name), 1).length > 0
const only = flag('--iptables') ? 'iptables' : flag('--nft') ? 'nft' : undefined
const family = flag('--4') ? 4 : flag('--6') ? 6 : undefined
const scenario =
  seed === '-'
    ? (JSON.parse(readFileSync(0, 'utf8')) as Scenario)
    : makeScenario(Number(seed), { probes: 45, ...(only && { only }), ...(family && { family }) })
const out = (text: string) => process.stdout.write(`${text}\n`)
out(printScenario(scenario))
const [observed] = await runScenarios([scenario], 0.9)
if (!observed || 'error' in observed) throw new Error(observed?.error)
const snapshot = snapshotOf(scenario, observed)
const findings = compareScenario(scenario, observed)
for (const [i, probe] of scenario.probes.entries()) {
  const text = probeText(probe)
  if (!words.every((w) => text.includes(w))) continue
  const seen = [...new Set(observed.seen[i]?.map(seenText))].join(' | ')
  out(`\n${findings[i]?.kind} ${text}\n  kernel: ${seen}`)
  if (words.length === 0 && findings[i]?.kind === 'agreed') continue
  const { paths, assumptions = [] } = traceFlow(snapshot, flowOf(scenario, probe), { verbose: false })
  for (const path of paths) {
    out(`  walk: ${path.verdict} ${path.probability}`)
    for (const [way, hops] of [
      ['>', path.hops],
      ['<', path.reply?.hops ?? []],
    ] as const)
      for (const h of hops)
        out(`   ${way} ${h.node} | ${h.stage} ${h.where} | ${h.action}${h.packet === undefined ? '' : ` | ${h.packet}`}`)
  }
  for (const a of assumptions) out(`  assumed: ${a}`)
}
