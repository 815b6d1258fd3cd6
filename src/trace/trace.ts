/** Traces a flow through a snapshot: every branch, forward and back. */

import { parseIp } from '../net/ip.ts'
import type { Snapshot } from '../snapshot/types.ts'
import { attempt } from './attempt.ts'
import { causeOf } from './cause.ts'
import { explore, TooManyBranches, type Tree } from './choices.ts'
import { clientOf } from './client.ts'
import { compareFlow } from './comparison/compare.ts'
import { staleConnections } from './conntrack/stale-connections.ts'
import { requestOf } from './exchange.ts'
import { attributeHops } from './hop.ts'
import { newLegs } from './legs.ts'
import { openingOf } from './opening.ts'
import { type Leaf, merge } from './outcomes.ts'
import type { Result } from './result.ts'
import { newRun, type Run, Undecided } from './run.ts'
import type { Flow, Path, Trace } from './types.ts'
import { worldOf } from './world.ts'

export interface TraceOptions {
  /** record rules that were tried and did not match, too */
  readonly verbose?: boolean
  /** outcomes only: no paths, no comparison */
  readonly brief?: boolean
  /** record where packets meet hosts, too: `Path.legs` */
  readonly legs?: boolean
  readonly id?: string | number
}

/** Of all branches together: five thousand endpoints behind a hundred steps each. */
const mostSteps = 500_000

/**
 * What happens to one packet of a new connection of this flow.
 * @throws TypeError if `flow.dst` is no address: names are resolved before.
 */
export function traceFlow(snapshot: Snapshot, flow: Flow, options: TraceOptions = {}): Trace {
  const world = worldOf(snapshot)
  const dst = parseIp(flow.dst)
  if (!dst) throw new TypeError(`not an address: ${flow.dst}`)
  const { state = 'new' } = flow
  const open = openingOf(world, flow, dst)
  const assumptions = new Set<string>()
  // route exceptions (ip route show cache) are in no dump
  if (flow.payload !== undefined) assumptions.add('no host has learned of a small MTU by earlier packets')
  let tree: Tree<Result>
  let recorded = 0
  try {
    tree = explore((choices) => {
      const run = newRun(world, choices, {
        state,
        known: state === 'from-dump' || flow.sourcePort !== undefined,
        verbose: options.verbose ?? false,
        legs: options.legs ? newLegs() : undefined,
      })
      const result = guarded(run, () => {
        const sent = open(run)
        const who = clientOf(run, sent.flow, dst)
        if (who.kind === 'errno')
          return { verdict: 'unreachable', error: `errno ${who.errno}`, node: who.blame.place.label, steps: run.steps, blame: who.blame }
        return attempt(run, who.client, requestOf(sent.flow, who.client.source, dst, sent.next))
      })
      for (const a of run.assumptions) assumptions.add(a)
      recorded += result.steps.length + (result.answer?.steps.length ?? 0)
      if (recorded > mostSteps) throw new TooManyBranches(`more branches than ${mostSteps} steps show`)
      if (options.brief) return withoutSteps(result)
      return run.legs && result.verdict !== 'undecided' ? { ...result, legs: run.legs.all } : result
    })
  } catch (error) {
    if (!(error instanceof TooManyBranches)) throw error
    tree = { kind: 'leaf', value: { verdict: 'undecided', reason: `this flow has ${error.message}`, steps: [] } }
  }
  const { outcomes, leaves, undecided } = merge(tree)
  const head = { apiVersion: 'netctl.dev/v1alpha1', kind: 'Trace', ...(options.id !== undefined && { id: options.id }), flow } as const
  const warnings = staleConnections(world, flow, dst)
  const tail = {
    ...(warnings.length > 0 && { warnings }),
    ...(assumptions.size > 0 && { assumptions: [...assumptions].sort() }),
    ...(undecided.length > 0 && { undecided }),
  }
  if (options.brief) return { ...head, outcomes, paths: [], comparison: [], ...tail }
  const paths = leaves.map((leaf) => pathOf(snapshot, flow, leaf))
  return { ...head, outcomes, paths, comparison: compareFlow({ flow, outcomes, paths }, snapshot), ...tail }
}

const withoutSteps = (result: Result): Result => ({
  ...result,
  steps: [],
  ...(result.answer && { answer: { ...result.answer, steps: [] } }),
})

function guarded(run: Run, walk: () => Result): Result {
  try {
    return walk()
  } catch (error) {
    if (!(error instanceof Undecided)) throw error
    return { verdict: 'undecided', reason: error.message, node: error.node, steps: run.steps }
  }
}

function pathOf(snapshot: Snapshot, flow: Flow, leaf: Leaf): Path {
  const { result } = leaf
  const hops = attributeHops(snapshot, result.steps)
  const answer = result.answer && { kind: result.answer.kind, hops: attributeHops(snapshot, result.answer.steps) }
  const cause = result.verdict === 'delivered' || result.verdict === 'undecided' ? undefined : causeOf(snapshot, flow, result)
  const { verdict, probability } = leaf
  const { legs } = result
  return { verdict, probability, hops, ...(answer && { reply: answer }), ...(cause && { cause }), ...(legs && { legs }) }
}
