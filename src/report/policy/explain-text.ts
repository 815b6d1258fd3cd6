import { type ExplainedRules, rulesByIndex } from '../../policy/explained-rules.ts'
import type { PolicyFlow } from '../../policy/flow.ts'
import type { Direction, Origin } from '../../policy/model.ts'
import type { ExplainedPolicy, ExplainedTier, Explanation, Judgement, Step } from '../../policy/verdict.ts'
import { indent, leftRight, lineWidth, wrap } from '../layout.ts'
import { type Line, makePen, type Pen, type Style } from '../pen.ts'
import type { TextOptions } from '../terminal.ts'
import { decisionText, endFor, judgementWords, ruleTitle } from './decision-text.ts'
import { endName, placeOf, placeText, policyTitle, wantedText } from './names.ts'
import { ruleText, sourceLines } from './rule-text.ts'
import { besidePlace, headline, noteLines, reasonLines } from './verdict-text.ts'

/** `netctl policy explain`: both directions, every policy that selects an end, in the order of evaluation. */
export function explainText(flow: PolicyFlow, explanation: Explanation, options: TextOptions): string {
  const pen = makePen(options)
  const { verdict } = explanation
  const lines: Line[] = [
    ...wrap(headline(flow, verdict, pen), pen.columns, pen),
    ...reasonLines(verdict, pen),
    ...noteLines(verdict.notes, pen),
  ]
  for (const direction of ['egress', 'ingress'] as const) lines.push([], ...sideLines(flow, explanation, direction, options, pen))
  return pen.paint(lines)
}

function sideLines(flow: PolicyFlow, explanation: Explanation, direction: Direction, options: TextOptions, pen: Pen): Line[] {
  const judgement = explanation.verdict[direction]
  const end = endFor(direction, flow)
  const [mark, word, style] = judgementWords[judgement.verdict]
  const title: Line = [pen.text(`${direction === 'egress' ? 'Egress from' : 'Ingress to'} ${endName(end)}`, 'strong')]
  const answer: Line = [pen.text(`${mark} ${word}`, style)]
  const head = leftRight(title, answer, pen.columns) ?? [...title, pen.text('  '), ...answer]
  const tiers = explanation[direction]
  if (tiers.length === 0) return [...hang(head, pen), ...besidePlace([pen.text('  ')], decisionText(judgement, end).text, undefined, pen)]
  const body = tiers.flatMap((tier) => tierLines(tier, judgement, options, pen)).flatMap((line) => hang(line, pen))
  return [...hang(head, pen), ...body, ...profileLines(judgement, pen).flatMap((line) => hang(line, pen))]
}

/** A line that is too long goes on below, further in; a path at its right is left whole. */
function hang(line: Line, pen: Pen): Line[] {
  if (lineWidth(line) <= pen.columns || line.some((span) => /\.\w+:\d+ *$/.test(span.text))) return [line]
  const at = /^ */.exec(line.map((span) => span.text).join(''))?.[0].length ?? 0
  const [first = [], ...rest] = wrap(line, pen.columns - at - 2, pen)
  return [indent(first, at), ...rest.map((l) => indent(l, at + 2))]
}

function tierLines({ tier, reached, policies }: ExplainedTier, judgement: Judgement, options: TextOptions, pen: Pen): Line[] {
  const order = Number.isFinite(tier.order) ? `order ${tier.order}` : 'no order: last'
  const head: Line = [pen.text(`  tier ${tier.name}`), pen.text(`  ${order}${reached ? '' : ', not reached'}`, 'dim')]
  const step = judgement.steps.find((s) => (s.kind === 'rule' || s.kind === 'end-of-tier') && s.tier.name === tier.name)
  const end: Line[] =
    step?.kind === 'end-of-tier'
      ? [
          [
            pen.text(step.action === 'Deny' ? '    ✗ ' : '    · ', step.action === 'Deny' ? 'bad' : 'dim'),
            pen.text(`no rule matched: end of tier, ${step.action.toLowerCase()}`),
            ...decides(step, judgement, pen),
          ],
        ]
      : []
  return [head, ...policies.flatMap((policy) => policyLines(policy, step, judgement, options, pen)), ...end]
}

function policyLines(explained: ExplainedPolicy, step: Step | undefined, judgement: Judgement, options: TextOptions, pen: Pen): Line[] {
  const { policy, reached } = explained
  const head: Line = [pen.text('    '), pen.text(policyTitle(policy), reached ? 'plain' : 'dim')]
  const more = `${Number.isFinite(policy.order) ? `  order ${policy.order}` : ''}${reached ? '' : ', not reached'}`
  const lines = besidePlace([...head, pen.text(more, 'dim')], '', placeText(placeOf(policy.origin)), pen)
  if (explained.rules.length === 0) lines.push([pen.text('      no rules', 'dim')])
  const deciding = step?.kind === 'rule' && step.policy === policy ? step : undefined
  let passed = false
  for (const rule of rulesByIndex(explained.rules)) {
    const decided = deciding !== undefined && deciding.rule.index === rule.index
    lines.push(...ruleLines(rule, { reached: reached && !passed, deciding: decided ? deciding : undefined }, judgement, options, pen))
    passed ||= decided
  }
  return lines
}

interface Standing {
  readonly reached: boolean
  readonly deciding: Step | undefined
}

function ruleLines(
  explained: ExplainedRules,
  { reached, deciding }: Standing,
  judgement: Judgement,
  options: TextOptions,
  pen: Pen,
): Line[] {
  const { rule, match } = explained
  const [sign, colour] = markOf(explained, reached)
  const head: Line = [
    pen.text(`      ${sign} `, colour),
    pen.text(`${ruleTitle(rule)}  ${rule.action}`, deciding ? 'strong' : reached ? 'plain' : 'dim'),
    pen.text('  '),
  ]
  const text = `${rule.origin ? ruleText(rule.origin) : ''}${match.kind === 'match' && rule.action === 'log' ? ' (logs, and goes on)' : ''}`
  const mark: Line = deciding ? decides(deciding, judgement, pen) : []
  const style: Style = reached ? 'plain' : 'dim'
  const whole: Line = [...head, pen.text(text, style), ...mark]
  const lines: Line[] =
    lineWidth(whole) <= pen.columns
      ? [whole]
      : [[...head.slice(0, -1), ...mark], ...wrap([pen.text(text, style)], pen.columns - 8, pen).map((l) => indent(l, 8))]
  if (rule.failClosed !== undefined) lines.push(...besidePlace([pen.text('        ! ', 'warn')], rule.failClosed, undefined, pen))
  if (match.kind === 'unknown') lines.push(...besidePlace([pen.text('        ? ', 'warn')], match.why, undefined, pen))
  if (match.kind === 'mismatch' && (reached || options.verbose)) {
    for (const { criterion, wanted, found } of explained.failed)
      lines.push(...besidePlace([pen.text(`        ${criterion}: `, 'dim')], `wants ${wantedText(wanted)}; it is ${found}`, undefined, pen))
  }
  // a dump in JSON says it in many lines, and no better than the line above
  if (rule.origin && (options.verbose || (deciding && rule.origin.object.place.document.syntax === 'yaml')))
    lines.push(...excerpt(rule.origin, pen))
  return lines
}

function markOf({ match }: ExplainedRules, reached: boolean): [string, Style] {
  if (!reached) return ['·', 'dim']
  switch (match.kind) {
    case 'match':
      return ['✓', 'good']
    case 'unknown':
      return ['?', 'warn']
    case 'mismatch':
      return ['·', 'dim']
  }
}

const decides = (step: Step, judgement: Judgement, pen: Pen): Line =>
  step === judgement.steps.at(-1) ? [pen.text('  ← decides', 'strong')] : [pen.text('  ← passes to the next tier', 'dim')]

function excerpt(origin: Origin, pen: Pen): Line[] {
  const { file, line } = placeOf(origin)
  const lines = sourceLines(origin, line, 8)
  const indents = lines.map(({ text }) => /^ */.exec(text)?.[0].length ?? 0)
  const common = Math.min(...indents, 40)
  return lines.map(({ line: n, text }) => {
    const head: Line = [pen.text(`        ${file}:${n}  `, 'dim')]
    return [...head, pen.text(text.slice(common))]
  })
}

function profileLines(judgement: Judgement, pen: Pen): Line[] {
  const last = judgement.steps.at(-1)
  if (last?.kind === 'profile') {
    const [mark, , style] = judgementWords[judgement.verdict]
    return [
      [
        pen.text(`  ${mark} `, style),
        pen.text(`profile ${last.profile.name}, ${ruleTitle(last.rule)} ${last.rule.action}`),
        ...decides(last, judgement, pen),
      ],
    ]
  }
  if (last?.kind === 'no-profile')
    return [[pen.text('  ✗ ', 'bad'), pen.text('no profile allows it: deny'), ...decides(last, judgement, pen)]]
  if (last?.kind === 'no-decision') return [[pen.text('  · no policy of this hook decides: the packet goes on', 'dim')]]
  return []
}
