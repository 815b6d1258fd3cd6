/** Carries out a plan: all nodes watch, then probes are sent, then all that was put there is taken away again. */
import { setTimeout as nap } from 'node:timers/promises'
import type { Span } from '../../snapshot/types.ts'
import type { RunScript } from '../../system/run-script.ts'
import type { Way } from '../../system/way.ts'
import type { Watched } from '../../verify/check-path.ts'
import { type NodePlan, type Plan, SETTLE_MS } from '../../verify/plan.ts'
import { readProbes } from '../../verify/read-probes.ts'
import { readWatch } from '../../verify/read-watch.ts'
import { probeScript, type ScriptTexts, stopScript, watchScript } from '../../verify/scripts.ts'
import type { ProbeResult } from '../../verify/types.ts'

export interface Observing {
  readonly to: Way['to']
  readonly texts: ScriptTexts
  /** ends the run early: all the same, what was put on nodes is taken away first */
  readonly signal: AbortSignal
  /** called once, with the nodes that watch from now on */
  readonly armed?: (nodes: readonly string[]) => void
  /** nothing is sent; asked with what was seen so far, until it says yes or the time is over */
  readonly caught?: { readonly patienceMs: number; readonly is: (nodes: ReadonlyMap<string, Watched>) => boolean }
}

export interface Observed {
  readonly nodes: ReadonlyMap<string, Watched>
  /** by the id of the probe */
  readonly probes: ReadonlyMap<string, ProbeResult>
  /** when packets were sent */
  readonly at: Span
  /** what may still be on nodes, until it ends by itself */
  readonly left: readonly string[]
}

/** until a node watches: its tools read all of its rules first */
const ARMING_MS = 30_000
/** what has happened by then is over: retransmissions, and the news of nodes come each second */
const AFTER_CATCH_MS = 2500

/** A node while it watches. */
interface Watching {
  readonly plan: NodePlan
  readonly run: RunScript | undefined
  /** `undefined`: it watches; else why not */
  readonly armed: Promise<string | undefined>
  readonly ended: Promise<unknown>
  seen(): Watched
}

/** Never rejects for a node's sake: what could not be watched is told in its place. */
export async function observe(plan: Plan, { to, texts, signal, armed, caught }: Observing): Promise<Observed> {
  const watching = await Promise.all(plan.nodes.map((node) => watch(plan, node, to, texts)))
  const probes = new Map<string, ProbeResult>()
  let at: Span = { from: Date.now(), to: Date.now() }
  try {
    const why = await Promise.all(watching.map((w) => w.armed))
    const from = Date.now()
    const able = watching.filter((_, i) => why[i] === undefined)
    if (able.length > 0) armed?.(able.map((w) => w.plan.node))
    if (caught) await until(() => able.length === 0 || caught.is(seenBy(able)), caught.patienceMs, signal)
    else
      for (const result of (await Promise.all(watching.map((w, i) => probe(plan, w, why[i], texts, signal)))).flat())
        probes.set(result.id, result)
    at = { from, to: Date.now() }
    if (!signal.aborted) await nap(caught ? AFTER_CATCH_MS : SETTLE_MS)
  } finally {
    await Promise.all(watching.map(({ run }) => run?.(stopScript(plan.id, texts), [], ARMING_MS)))
    await Promise.all(watching.map((w) => w.ended))
  }
  const nodes = seenBy(watching)
  return { nodes, probes, at, left: leftBy(plan, nodes) }
}

const seenBy = (watching: readonly Watching[]): ReadonlyMap<string, Watched> => new Map(watching.map((w) => [w.plan.node, w.seen()]))

async function watch(plan: Plan, node: NodePlan, to: Way['to'], texts: ScriptTexts): Promise<Watching> {
  const run = await to(node.node)
  if ('missing' in run) {
    const { missing } = run
    return { plan: node, run: undefined, armed: Promise.resolve(missing), ended: Promise.resolve(), seen: () => ({ missing }) }
  }
  const { order } = node
  const pieces: Buffer[] = []
  let ready: ((_: undefined) => void) | undefined
  const armedWord = new Promise<undefined>((resolve) => {
    ready = resolve
  })
  let failure: string | undefined
  const ended = run(watchScript(order, texts), [], plan.seconds * 1000 + 2 * ARMING_MS, {
    heard: (piece) => {
      pieces.push(piece)
      if (!ready || !readWatch(Buffer.concat(pieces), order).armed) return
      ready(undefined)
      ready = undefined
    },
  }).then((ran) => {
    failure = ran.failure
  })
  const seen = (): Watched => {
    const { armed, ...rest } = readWatch(Buffer.concat(pieces), order)
    if (!armed) return { missing: rest.missing.join('; ') || (failure ?? 'it did not say that it watches') }
    // what broke off has not told all
    return { order, seen: failure === undefined ? rest : { ...rest, lost: true } }
  }
  const why = (): string => {
    const now = seen()
    return 'missing' in now ? now.missing : 'it watched, and ended too early'
  }
  const armed = Promise.race([armedWord, ended.then(why), nap(ARMING_MS, 'it was not ready in time', { ref: false })])
  return { plan: node, run, armed, ended, seen }
}

/** Probes of a node that does not watch are not sent: nobody would see them leave. */
async function probe(
  plan: Plan,
  { plan: node, run }: Watching,
  why: string | undefined,
  texts: ScriptTexts,
  signal: AbortSignal,
): Promise<readonly ProbeResult[]> {
  const { probes } = node
  if (probes.length === 0) return []
  if (why !== undefined || !run)
    return probes.map(({ id }) => ({ id, afterMs: 0, answer: { kind: 'failed', reason: `${node.node}: ${why ?? 'not reached'}` } }))
  const ran = await run(probeScript(plan.id, probes, texts), [], plan.seconds * 1000, { signal })
  return readProbes(ran.output, probes)
}

async function until(is: () => boolean, patienceMs: number, signal: AbortSignal): Promise<void> {
  const end = Date.now() + patienceMs
  while (!signal.aborted && Date.now() < end && !is()) await nap(500)
}

function leftBy({ id, seconds }: Plan, nodes: ReadonlyMap<string, Watched>): readonly string[] {
  return [...nodes].flatMap(([node, watched]) =>
    'missing' in watched || watched.seen.disarmed
      ? []
      : [`${node}: table inet netctl_verify_${id} was not seen to go; it goes with its process, and does nothing after ${seconds} s`],
  )
}
