/**
 * Shows that the comparison with the kernel can fail: mistakes of one line, put into copies of `src`, must be noticed.
 *
 *     node test/fuzz/mutations.ts [--seed N] [--topologies N]
 *
 * Needs root. The kernel is asked once for all, some topologies at a time; mutants are held against what it did until they are noticed.
 * Exit 1 if one never is.
 */
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { root } from '../support/needs.ts'
import { makeScenario } from './generate.ts'
import type { Recorded } from './judge.ts'
import { type Mutation, mutations } from './mutation-list.ts'
import { runScenarios } from './runner.ts'

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' }, topologies: { type: 'string', default: '120' } } })
const say = (text: string) => process.stdout.write(`${text}\n`)
const folder = mkdtempSync(join(tmpdir(), 'mutants-'))
const file = join(folder, 'observed.jsonl')
/** topologies at a time */
const step = 12
try {
  const [seed, most] = [Number(values.seed), Number(values.topologies)]
  let hidden = mutations.map((mutation) => ({ mutation, tree: mutant(mutation) }))
  let asked = 0
  let packets = 0
  for (; asked < most && hidden.length > 0; asked += step) {
    const recorded = await record(seed + asked, Math.min(step, most - asked))
    writeFileSync(file, recorded.map((r) => `${JSON.stringify(r)}\n`).join(''))
    const right = await judge(root)
    packets += right.flat().filter((f) => f === 'agreed').length
    const wrong = await inPairs(hidden, async ({ tree }) => differing(right, await judge(tree)))
    for (const [i, { mutation }] of hidden.entries())
      if (wrong[i]) say(`noticed by topology ${asked + step}, ${wrong[i]} packets: ${mutation.what} (${mutation.file})`)
    hidden = hidden.filter((_, i) => wrong[i] === 0)
  }
  for (const { mutation } of hidden) say(`NOT NOTICED: ${mutation.what} (${mutation.file})`)
  const noticed = mutations.length - hidden.length
  say(`${noticed} of ${mutations.length} mutations noticed, by ${packets} packets of ${asked} topologies that agree without them`)
  process.exitCode = hidden.length > 0 ? 1 : 0
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function record(seed: number, count: number): Promise<readonly Recorded[]> {
  const halves = [0, count >> 1, count].flatMap((from, i, ends) => (ends[i + 1] === undefined ? [] : [{ from, to: ends[i + 1] as number }]))
  const out = await inPairs(halves, async ({ from, to }) => {
    const scenarios = Array.from({ length: to - from }, (_, i) => makeScenario(seed + from + i, { probes: 45 }))
    const observed = await runScenarios(scenarios)
    return scenarios.flatMap((scenario, i): Recorded[] => {
      const it = observed[i]
      return it && 'files' in it ? [{ scenario, observed: it }] : []
    })
  })
  return out.flat()
}

/** Packets that agreed before the mistake, and do not with it. */
function differing(right: readonly (readonly string[])[], found: readonly (readonly string[])[]): number {
  return found.flatMap((kinds, i) => kinds.filter((f, k) => right[i]?.[k] === 'agreed' && (f === 'differs' || f === 'failed'))).length
}

function mutant(m: Mutation): string {
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

/** The kinds of all findings, by the walk of one tree. */
async function judge(tree: string): Promise<readonly (readonly string[])[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(tree, 'test/fuzz/judge.ts'), file], { maxBuffer: 1 << 28 })
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as string[])
}

/** All of a list, two at a time. */
async function inPairs<T, U>(list: readonly T[], work: (it: T) => Promise<U>): Promise<readonly U[]> {
  const out: U[] = []
  let next = 0
  const worker = async () => {
    while (next < list.length) {
      const at = next++
      out[at] = await work(list[at] as T)
    }
  }
  await Promise.all([worker(), worker()])
  return out
}
