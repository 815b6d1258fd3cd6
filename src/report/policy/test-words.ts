import { positionOf } from '../../cluster/manifest/position.ts'
import type { Direction } from '../../policy/model.ts'
import { protocolName } from '../../policy/protocols.ts'
import type { DatapathDifference } from '../../policy/test/datapath.ts'
import type { Shortfall } from '../../policy/test/run.ts'
import type { Asked } from '../../policy/test/suite.ts'
import type { Expectation } from '../../policy/test/types.ts'
import { count } from '../names.ts'
import { adviceText } from './advice-text.ts'
import { decisionText, endFor, verdictWords } from './decision-text.ts'
import { endName, type FilePlace, placeText, targetText } from './names.ts'

/** What results are called, for SARIF's rules and JUnit's types. */
export const TEST_RULES = {
  PTE101: 'An expectation about network policies does not hold',
  PTE102: 'An expectation about network policies holds, but by another policy than expected',
  PTE103: 'Whether an expectation about network policies holds can not be told',
  PTE104: 'What network policies allow differs from the recorded snapshot',
  PTE105: 'What the recorded datapath does differs from what network policies mean',
} as const

export type Outcome = 'pass' | 'fail' | 'unknown' | 'refused'

/** What came of an expectation. */
export const outcomeOf = (asked: Asked): Outcome => (asked.kind === 'refused' ? 'refused' : asked.outcome)

/** Where it stands. */
export const placeOfTest = ({ test, index }: Expectation): FilePlace => positionOf(test, ['spec', 'tests', index])

/** Its name, or what it says. */
export function testTitle({ name, from, to, ports, expect }: Expectation): string {
  if (name !== undefined) return name
  const list =
    ports.kind === 'all'
      ? ', all ports'
      : ports.kind === 'list' && to.kind === 'pods'
        ? `:${ports.ports.map((p) => p.port ?? protocolName(p.protocol ?? 6)).join(',')}`
        : ''
  return `${from.text} → ${to.text}${list} is ${expect === 'allow' ? 'allowed' : 'denied'}`
}

/** `expected allow, got deny for 3 of 12 flows` */
export function shortfallSummary(asked: Extract<Asked, { kind: 'asked' }>): string {
  const { expectation, checked, failed, unknown, shortfalls } = asked
  const wrong = shortfalls.some(({ kind }) => kind === 'wrong')
  const what =
    asked.outcome === 'unknown'
      ? `expected ${expectation.expect}, can't tell`
      : wrong
        ? `expected ${expectation.expect}, got ${expectation.expect === 'allow' ? 'deny' : 'allow'}`
        : `expected ${expectation.expect} by ${expectation.by}, got it by another`
  const n = asked.outcome === 'unknown' ? unknown : failed
  const also = asked.outcome === 'fail' && unknown > 0 ? `, and can't tell for ${unknown}` : ''
  return `${what}${checked > 1 ? ` for ${n} of ${count(checked, 'flow')}` : ''}${also}`
}

/** `deploy/shop/web → sts/data/db:5432/tcp` */
export function shortfallTitle({ flow, alike }: Shortfall): string {
  if (!alike) return `${endName(flow.source)} → ${targetText(flow)}`
  const ranges = alike.ranges.map(({ lo, hi }) => (lo === hi ? `${lo}` : `${lo}-${hi}`))
  return `${endName(flow.source)} → ${endName(flow.destination)}, ${protocolName(alike.protocol)} ${ranges.join(', ')}`
}

export interface Why {
  readonly label: string
  readonly text: string
  readonly place?: string
}

/** Who decided a flow: the side that denies, or both that allow; of what can't be told, why not. */
export function whyLines({ kind, flow, verdict }: Shortfall): readonly Why[] {
  const reasons = verdict.reasons.map((r): Why => ({ label: verdictWords[r.kind][1].toLowerCase(), text: `${r.direction}: ${r.message}` }))
  if (kind === 'unknown') return reasons
  const sides = (['egress', 'ingress'] as const).filter(
    (side) => verdict[side].verdict === 'deny' || (verdict.allowed && verdict[side].verdict === 'allow'),
  )
  return [...sides.map((side: Direction): Why => ({ label: side, ...decisionText(verdict[side], endFor(side, flow)) })), ...reasons]
}

/** Whether policies themselves fall short: with `--datapath` the tables may be what differs. */
export const fallsShort = ({ failed, unknown }: Extract<Asked, { kind: 'asked' }>): boolean => failed + unknown > 0

/** `the datapath does otherwise for 1 of 12 flows`; undefined: it was not walked, or does what is meant */
export function datapathSummary({ datapath }: Extract<Asked, { kind: 'asked' }>): string | undefined {
  if (!datapath || datapath.differences.length === 0) return undefined
  const { walked, differing, unknown } = datapath
  const of = (n: number): string => (walked > 1 ? ` for ${n} of ${count(walked, 'flow')}` : '')
  if (differing === 0) return `what the datapath does can't be told${of(unknown)}`
  return `the datapath does otherwise than policies mean${of(differing)}${unknown > 0 ? `, and can't be told for ${unknown}` : ''}`
}

const DATAPATH_WORDS = { passes: 'passes', blocked: 'blocked', lost: 'lost', unknown: "can't tell" } as const

/** A flow that fares otherwise, and by which entry. */
export function differenceLines({ kind, flow, text, place }: DatapathDifference): { readonly title: string; readonly why: Why } {
  return {
    title: `${endName(flow.source)} → ${targetText(flow)}`,
    why: { label: DATAPATH_WORDS[kind], text, ...(place && { place: placeText(place) }) },
  }
}

/** What would mend it, as one sentence; undefined where no small change was found. */
export function mending(asked: Extract<Asked, { kind: 'asked' }>): string | undefined {
  const { advice } = asked
  if (!advice) return undefined
  if (advice === 'none') return 'none was found: it takes more than three edits of one port, peer or rule'
  const [first, ...others] = advice.breaks
  const breaks = first ? ` (but then “${testTitle(first)}” no longer holds${others.length > 0 ? `, and ${others.length} more` : ''})` : ''
  return `${adviceText(advice.change)}${breaks}`
}

/** All of it in plain text, for reports that have no layout. */
export function plainMessage(asked: Asked): string {
  if (asked.kind === 'refused') return asked.error.message
  if (asked.outcome === 'pass') return ''
  const lines = fallsShort(asked) ? [shortfallSummary(asked)] : []
  for (const shortfall of asked.shortfalls) {
    lines.push(shortfallTitle(shortfall))
    for (const { label, text, place } of whyLines(shortfall)) lines.push(`  ${label}: ${text}${place === undefined ? '' : ` (${place})`}`)
  }
  const summary = datapathSummary(asked)
  if (summary !== undefined) lines.push(summary)
  for (const { title, why } of (asked.datapath?.differences ?? []).map(differenceLines))
    lines.push(title, `  ${why.label}: ${why.text}${why.place === undefined ? '' : ` (${why.place})`}`)
  const change = mending(asked)
  if (change !== undefined) lines.push(`smallest change: ${change}`)
  return lines.join('\n')
}
