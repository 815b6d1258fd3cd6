/** One packet's pass through one host: the rules that it was to hit held against those that it hit. */
import type { TraceHeaders } from '../kernel/nftables/trace-events.ts'
import type { Snapshot } from '../snapshot/types.ts'
import { headers as headersText } from '../trace/hop.ts'
import type { Leg } from '../trace/legs.ts'
import type { Hop } from '../trace/types.ts'
import { type RulePlace, rulePlace } from './rule-places.ts'
import { otherHeaders } from './sightings.ts'
import type { SeenPacket, SeenStep } from './types.ts'
import type { CheckedStep, Difference } from './verification.ts'

/** One host's part of a path held against the packet that was seen there. */
export interface LegCheck {
  /** by index of the hop; those of the way that is no rule are left out: what was seen next says it */
  readonly steps: ReadonlyMap<number, CheckedStep>
  readonly difference?: Difference
  /** a rule was met of which only chain and verdict are known: its chain was made anew while packets were watched, or is one of too many to be listed */
  readonly unclear?: true
}

type SeenRule = Extract<SeenStep, { kind: 'rule' | 'policy' }>

/**
 * Rules in order: the kernel's trace has each that matched, and each policy that drops. Then the headers at the last hook and the device, which show
 * what NAT and routing came to. `notLost`: nothing of the trace was.
 */
export function checkLeg(snapshot: Snapshot, leg: Leg, hops: readonly Hop[], seen: SeenPacket, notLost: boolean): LegCheck {
  const steps = new Map<number, CheckedStep>()
  const kernels = seen.steps.filter(isRule)
  // a legacy table and one of nft of the same priority: which comes first no dump tells, and the packet may have ended in the former
  const whole = notLost && !hops.slice(leg.from, leg.to).some((hop) => rulePlace(snapshot, hop)?.legacy)
  let at = 0
  let unclear = false
  const differs = (hop: number, predicted: string, observed: string): LegCheck => {
    steps.set(hop, { status: 'differs', observed })
    const { evidence } = hops[hop] ?? {}
    const node = hops[hop]?.node ?? leg.host
    return { steps, difference: { node, way: leg.way, hop, predicted, observed, ...(evidence && { evidence }) } }
  }
  for (let i = leg.from; i < Math.min(leg.to, hops.length); i++) {
    const hop = hops[i] as Hop
    const place = rulePlace(snapshot, hop)
    // of iptables-legacy the kernel's trace has nothing
    if (!place || place.legacy || isOurs(place.table)) continue
    const kernel = kernels[at]
    const is = kernel && likeness(hop, place, kernel)
    if (kernel && is !== 'other') {
      if (is === 'same') steps.set(i, { status: 'observed' })
      else unclear = true
      at++
    } else if (kernel) return differs(i, ruleSaid(hop, place), seenSaid(kernel))
    else if (whole) return differs(i, ruleSaid(hop, place), 'no further rule')
    else break
  }
  const more = kernels[at]
  const last = Math.min(leg.to, hops.length) - 1
  if (more) return differs(last, 'no further rule', seenSaid(more))
  return checkEnd(leg, hops, seen, whole, { steps, ...(unclear && { unclear }) }, differs)
}

/** What is compared of a trace. Of a device's chains only those at egress are in it, as ours comes too late to mark packets at ingress: none count. */
const isRule = (s: SeenStep): s is SeenRule =>
  (s.kind === 'rule' || (s.kind === 'policy' && s.verdict === 'drop')) && !s.table.startsWith('netdev ') && !isOurs(s.table)

/** Another netctl may watch at the same time. */
const isOurs = (table: string): boolean => table.startsWith('inet netctl_verify_')

function checkEnd(
  leg: Leg,
  hops: readonly Hop[],
  { end, iif }: SeenPacket,
  whole: boolean,
  rest: LegCheck,
  differs: (hop: number, predicted: string, observed: string) => LegCheck,
): LegCheck {
  const last = Math.min(leg.to, hops.length) - 1
  if (leg.device !== undefined && iif !== undefined && iif !== leg.device)
    return differs(leg.from, `comes in by ${leg.device}`, `came in by ${iif}`)
  if (!leg.end) return end ? differs(last, 'ends here', `went on: ${endSaid(end)}`) : rest
  if (!end) return whole ? differs(last, `goes on: ${legEnd(leg.end)}`, 'it did not get through the last hook') : rest
  const changed = lastWhere(hops, leg, (h) => h.packet !== undefined) ?? last
  if (end.headers && otherHeaders(end.headers, leg.end.packet))
    return differs(changed, headersText(leg.end.packet), seenHeaders(end.headers))
  const routed = lastWhere(hops, leg, (h) => h.stage === 'route') ?? last
  if (leg.end.hook !== end.hook || (leg.end.device !== undefined && end.oif !== undefined && leg.end.device !== end.oif))
    return differs(routed, legEnd(leg.end), endSaid(end))
  return rest
}

function lastWhere(hops: readonly Hop[], { from, to }: Leg, is: (hop: Hop) => boolean): number | undefined {
  for (let i = Math.min(to, hops.length) - 1; i >= from; i--) if (is(hops[i] as Hop)) return i
  return undefined
}

const legEnd = ({ hook, device }: NonNullable<Leg['end']>): string => (hook === 'input' ? 'to this host itself' : `leaves by ${device}`)

const endSaid = ({ hook, oif }: NonNullable<SeenPacket['end']>): string =>
  hook === 'input' ? 'to this host itself' : `leaves${oif === undefined ? '' : ` by ${oif}`}`

/**
 * The k-th rule of the same chain; where a dump does not tell which it is, the same text. Undefined: a rule of that chain with that verdict, and no more
 * can be known. It is not in the chain any more, and nft did not know its text, or does not print it as iptables does.
 */
function likeness(hop: Hop, { table, chain, index }: RulePlace, kernel: SeenRule): 'same' | 'other' | undefined {
  if (kernel.table !== table || kernel.chain !== chain) return 'other'
  const policy = isPolicy(hop)
  if (policy || kernel.kind === 'policy') return policy && kernel.kind === 'policy' ? 'same' : 'other'
  const verdict = verdictOf(hop)
  if (verdict !== undefined && verdict !== kernel.verdict) return 'other'
  if (index !== undefined && kernel.index !== undefined) return index === kernel.index ? 'same' : 'other'
  if (kernel.index === undefined && (kernel.text === '' || isSaved(hop))) return undefined
  return hop.evidence !== undefined && plain(hop.evidence.text) === plain(kernel.text) ? 'same' : 'other'
}

/** iptables-save's line, which nft prints otherwise */
const isSaved = ({ evidence }: Hop): boolean => /(^|\/)ip6?tables[^/]*$/.test(evidence?.file ?? '')

/** As the kernel's trace says what a rule came to, where the action tells; a REJECT answers, and drops. */
function verdictOf({ action }: Hop): string | undefined {
  const [word = '', ...rest] = action.toLowerCase().split(' ')
  if (word === 'accept' || word === 'drop' || word === 'return') return rest.length === 0 ? word : undefined
  if (word === 'reject') return 'drop'
  if (action.startsWith('to ') && rest.length === 1) return `jump ${action.slice(3)}`
  return action.startsWith('go to ') ? `goto ${action.slice(6)}` : undefined
}

const isPolicy = (hop: Hop): boolean => hop.action.toLowerCase() === 'policy drop'

/** Without what counts while packets pass, and notes of authors. */
const plain = (text: string): string =>
  text
    .trim()
    .replace(/ comment "[^"]*"$/, '')
    .replace(/counter packets \d+ bytes \d+/, 'counter')

const ruleSaid = (hop: Hop, { table, chain }: RulePlace): string =>
  isPolicy(hop) ? `${table} ${chain}: policy drop` : `${table} ${chain}: ${hop.evidence?.text.trim() ?? hop.action}`

const seenSaid = (s: SeenRule): string =>
  s.kind === 'policy'
    ? `${s.table} ${s.chain}: policy ${s.verdict}`
    : `${s.table} ${s.chain}: ${s.text || `a rule that was made while packets were watched (${s.verdict})`}`

/** Like `headers` of a hop. */
export function seenHeaders({ proto, src, dst, sport, dport, icmp }: TraceHeaders): string {
  const at = (ip: string, port: number | undefined) => (port === undefined ? ip : `${ip.includes(':') ? `[${ip}]` : ip}:${port}`)
  return `${at(src, sport)} → ${at(dst, dport)} ${icmp ? `${proto} ${icmp.type}/${icmp.code}` : proto}`
}
