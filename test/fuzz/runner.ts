/** Runs scenarios in this machine's kernel: a few `run.py` side by side, each with a batch at a time. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Observation, Scenario } from './scenario.ts'

/** Seconds after which silence counts as dropped. Less than the second after which a lost SYN is sent again. */
export const patience = 0.6

export const runCommand = (seconds: number, workers = 1): readonly string[] => [
  'python3',
  join(import.meta.dirname, 'run.py'),
  String(seconds),
  String(workers),
]

/** Observations in the order of the scenarios. */
export const runScenarios = (scenarios: readonly Scenario[], seconds = patience): Promise<readonly Observation[]> =>
  speak(runCommand(seconds), [scenarios])

/** Hands batches of scenarios to a `run.py`, wherever it runs. */
export function speak([program, ...args]: readonly string[], batches: readonly (readonly Scenario[])[]): Promise<readonly Observation[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(program as string, args)
    const out: Buffer[] = []
    let err = ''
    child.stdout.on('data', (d: Buffer) => out.push(d))
    child.stderr.on('data', (d: Buffer) => {
      err += d.toString()
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code !== 0) return reject(new Error(`${program} ended with ${code}: ${err}`))
      resolve(
        Buffer.concat(out)
          .toString()
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Observation),
      )
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(`${batches.map((batch) => `${JSON.stringify(batch)}\n`).join('')}\n`)
  })
}
