/**
 * Shows that the comparison with the kernel can fail: mistakes of one line, put into copies of `src`, must be noticed.
 *
 *     node test/fuzz/mutations.ts [--seed N] [--topologies N]
 *
 * Needs root. The kernel is asked once; every mutant is held against what it did. Exit 1 if one goes unnoticed.
 */
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { root } from '../support/needs.ts'
import { makeScenario } from './generate.ts'
import type { Recorded } from './judge.ts'
import { mutations } from './mutation-list.ts'
import { runScenarios } from './runner.ts'

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' }, topologies: { type: 'string', default: '60' } } })
const say = (text: string) => process.stdout.write(`${text}\n`)
const folder = mkdtempSync(join(tmpdir(), 'mutants-'))
try {
  const file = join(folder, 'observed.jsonl')
  writeFileSync(file, (await record(Number(values.seed), Number(values.topologies))).map((r) => `${JSON.stringify(r)}\n`).join(''))
  const right = await judge(root, file)
  say(`${right.length} topologies, ${right.flat().filter((f) => f === 'agreed').length} packets that agree`)
  let noticed = 0
  const waiting = [...mutations]
  const worker = async () => {
    for (let m = waiting.shift(); m; m = waiting.shift()) {
      const copy = mutant(m)
      const found = await judge(copy, file)
      const wrong = found.flatMap((fs, i) => fs.filter((f, k) => right[i]?.[k] === 'agreed' && (f === 'differs' || f === 'failed'))).length
      if (wrong > 0) noticed++
      say(`${wrong === 0 ? 'NOT NOTICED' : `noticed, ${wrong} packets`}: ${m.what} (${m.file})`)
      rmSync(copy, { recursive: true })
    }
  }
  await Promise.all([worker(), worker()])
  say(`${noticed} of ${mutations.length} mutations noticed`)
  process.exitCode = noticed < mutations.length ? 1 : 0
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function record(seed: number, count: number): Promise<readonly Recorded[]> {
  const out: Recorded[] = []
  let next = 0
  const worker = async () => {
    while (next < count) {
      const seeds = Array.from({ length: Math.min(6, count - next) }, () => seed + next++)
      const scenarios = seeds.map((it) => makeScenario(it, { probes: 45 }))
      for (const [i, observed] of (await runScenarios(scenarios)).entries()) {
        const scenario = scenarios[i]
        if (scenario && 'files' in observed) out.push({ scenario, observed })
      }
    }
  }
  await Promise.all([worker(), worker()])
  return out
}

function mutant(m: (typeof mutations)[number]): string {
  const copy = mkdtempSync(join(folder, 'copy-'))
  for (const part of ['src', 'test/fuzz', 'test/support', 'test/kernel/random.ts', 'package.json']) {
    cpSync(join(root, part), join(copy, part), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const path = join(copy, m.file)
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(m.find, () => m.replace),
  )
  return copy
}

async function judge(tree: string, file: string): Promise<readonly (readonly string[])[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(tree, 'test/fuzz/judge.ts'), file], { maxBuffer: 1 << 28 })
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as string[])
}
