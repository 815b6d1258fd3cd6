/** The steps of a trace that count for the comparison, each once, in the order walked. */

import type { Evidence, Hop, Path, Trace } from '../types.ts'

/** What the comparison looks at: a trace before its comparison is in it. */
export type Walked = Pick<Trace, 'flow' | 'outcomes' | 'paths'>

export interface Step {
  readonly hop: Hop
  readonly leg: 'request' | 'answer'
}

/** One packet's way: steps in order, with what was only tried left out. */
export type Leg = readonly Step[]

/** All legs of all paths. Many paths share their beginning: a leg that equals an earlier one is not repeated. */
export function legsOf(paths: readonly Path[]): readonly Leg[] {
  const out: Leg[] = []
  for (const path of paths) {
    out.push(stepsOf(path.hops, 'request'))
    if (path.reply && path.reply.hops.length > 0) out.push(stepsOf(path.reply.hops, 'answer'))
  }
  return out
}

function stepsOf(hops: readonly Hop[], leg: Step['leg']): Leg {
  const out: Step[] = []
  for (const hop of hops) if (hop.weight !== 'tried') out.push({ hop, leg })
  return out
}

/** Text of a rule of iptables as dumped; '' for anything else (routes and nft rules of JSON share one long line, which nobody should search). */
export const ruleText = (hop: Hop): string => (hop.chain !== undefined && !hop.table?.includes(' ') ? (hop.evidence?.text ?? '') : '')

/** The request's steps; the answer's only where the request has none. */
export function requestFirst(steps: readonly Step[]): readonly Step[] {
  const request = steps.filter((s) => s.leg === 'request')
  return request.length > 0 ? request : steps
}

/** Host of the cluster or the underlay, not a pod's own namespace. */
export const isNode = (hop: Hop): boolean => !hop.node.includes('/')

/** Device that a route or link step names: `… dev eth0 …`. */
export const deviceOf = (hop: Hop): string | undefined => / dev (\S+)/.exec(` ${hop.action}`)?.[1]

/** Lines longer than this are whole tables: `ip -j route` prints them all on one. */
const long = 2000

/**
 * Entries to show for an answer: each line once, in the order given, no more than people read; of whole tables in one line a single one.
 * A rule of nft that serves all Services alike is shown with the element of its map that was found.
 */
export function evidenceOf(steps: readonly Step[], limit = 6): readonly Evidence[] {
  const out = new Map<string, Evidence>()
  let tables = 0
  for (const { hop } of steps) {
    if (!hop.evidence) continue
    for (const evidence of [hop.evidence, ...(hop.table === undefined ? [] : (hop.also ?? []))]) {
      // the rules of an nft.json all stand on one line
      const key = `${evidence.file}:${evidence.line}${hop.table === undefined ? '' : evidence.text}`
      if (out.size >= limit || out.has(key) || (evidence.text.length > long && tables++ >= 1)) continue
      out.set(key, evidence)
    }
  }
  return [...out.values()]
}
