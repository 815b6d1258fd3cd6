/** Holds recorded observations against the walk of this tree: `node judge.ts FILE` prints, for each scenario, the kind of every finding. */
import { readFileSync } from 'node:fs'
import { compareScenario } from './compare.ts'
import type { Observation, Scenario } from './scenario.ts'

/** One line of FILE. */
export interface Recorded {
  readonly scenario: Scenario
  readonly observed: Extract<Observation, { files: unknown }>
}

const [file = ''] = process.argv.slice(2)
for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
  const { scenario, observed } = JSON.parse(line) as Recorded
  process.stdout.write(`${JSON.stringify(findings(scenario, observed))}\n`)
}

function findings(scenario: Scenario, observed: Recorded['observed']): readonly string[] {
  try {
    return compareScenario(scenario, observed).map((f) => f.kind)
  } catch {
    return scenario.probes.map(() => 'failed')
  }
}
