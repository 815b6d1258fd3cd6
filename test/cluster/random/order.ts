/** What is wanted of random clusters, by the command line, and what has come of them. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Order {
  readonly seed: number
  readonly clusters: number
  readonly rounds: number
  /** this round alone */
  readonly only?: number
  readonly flows: number
  /** where snapshots are put */
  readonly folder: string
  readonly say: (text: string) => void
}

export interface Tally {
  rounds: number
  flows: number
  delivered: number
  undecided: number
  differing: number
  readonly reasons: Map<string, number>
}

/** One cluster a seed, one after the other; says the sum. */
export async function campaign<O extends Order>(
  order: O,
  oneCluster: (order: O, seed: number, tally: Tally) => Promise<void>,
): Promise<Tally> {
  const tally: Tally = { rounds: 0, flows: 0, delivered: 0, undecided: 0, differing: 0, reasons: new Map() }
  for (let seed = order.seed; seed < order.seed + order.clusters; seed++) await oneCluster(order, seed, tally)
  order.say(
    `${tally.rounds} states, ${tally.flows} flows (${tally.delivered} delivered): ${tally.undecided} undecided, ${tally.differing} differ`,
  )
  for (const [reason, n] of [...tally.reasons].sort((a, b) => b[1] - a[1])) order.say(`  undecided ${n} ×: ${reason}`)
  return tally
}

/** The states of a cluster that are wanted. */
export const roundsOf = ({ only, rounds }: Order): readonly number[] =>
  only === undefined ? Array.from({ length: rounds }, (_, round) => round) : [only]

/** For parseArgs: what every program of random clusters takes. */
export const options = {
  seed: { type: 'string', default: '1' },
  clusters: { type: 'string', default: '1' },
  rounds: { type: 'string', default: '5' },
  only: { type: 'string' },
  flows: { type: 'string', default: '500' },
  keep: { type: 'string' },
} as const

type Values = Readonly<Record<'seed' | 'clusters' | 'rounds' | 'flows', string>> & {
  readonly only?: string | undefined
  readonly keep?: string | undefined
}

/** Does what was ordered; the process's exit code is 1 if anything differs. `name`: of the folder that is gone afterwards, unless one is to be kept. */
export async function carryOut(values: Values, name: string, work: (order: Order) => Promise<Tally>): Promise<void> {
  const folder = values.keep ?? mkdtempSync(join(tmpdir(), `netctl-${name}-`))
  mkdirSync(folder, { recursive: true })
  const tally = await work({
    seed: Number(values.seed),
    clusters: Number(values.clusters),
    rounds: Number(values.rounds),
    ...(values.only !== undefined && { only: Number(values.only) }),
    flows: Number(values.flows),
    folder,
    say: (text) => console.log(text),
  })
  if (values.keep === undefined) rmSync(folder, { recursive: true })
  process.exitCode = tally.differing > 0 ? 1 : 0
}
