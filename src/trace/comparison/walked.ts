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

/** A rule of an iptables table? Its evidence is one line of the dump, safe to look into (routes of `ip -j` may share one long line). */
export const isRule = (hop: Hop): boolean => hop.chain !== undefined && hop.evidence !== undefined

/** Text of a rule as dumped; '' for anything else. */
export const ruleText = (hop: Hop): string => (hop.chain !== undefined ? (hop.evidence?.text ?? '') : '')

/** Host of the cluster or the underlay, not a pod's own namespace. */
export const isNode = (hop: Hop): boolean => !hop.node.includes('/')

/** Device that a route or link step names: `… dev eth0 …`. */
export const deviceOf = (hop: Hop): string | undefined => / dev (\S+)/.exec(` ${hop.action}`)?.[1]

/** Entries to show for an answer: each line once, in the order given, no more than people read. */
export function evidenceOf(steps: readonly Step[], limit = 6): readonly Evidence[] {
  const out = new Map<string, Evidence>()
  for (const { hop } of steps) {
    if (out.size >= limit) break
    if (hop.evidence) out.set(`${hop.evidence.file}:${hop.evidence.line}`, hop.evidence)
  }
  return [...out.values()]
}
