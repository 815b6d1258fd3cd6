import type { Prefix } from '../../net/ip.ts'
import type { RoutingRule } from './types.ts'

/** The parts of a rule that its text is made of. */
export type RuleFields = Omit<RoutingRule, 'text' | 'source'>

/** One rule as `ip rule` prints it (iproute2 print_rule), with the tab after the priority as a blank. */
export function formatRule(r: RuleFields): string {
  const out = [`${r.priority}:`]
  if (r.not) out.push('not')
  out.push('from', r.src ? selector(r.src) : 'all')
  if (r.dst) out.push('to', selector(r.dst))
  if (r.tos) out.push('tos', `0x${r.tos.toString(16).padStart(2, '0')}`)
  if (r.fwmark) out.push('fwmark', r.fwmark.mask === 0xffffffff ? hex(r.fwmark.value) : `${hex(r.fwmark.value)}/${hex(r.fwmark.mask)}`)
  if (r.iif !== undefined) out.push('iif', r.iif, ...(r.iifDetached ? ['[detached]'] : []))
  if (r.oif !== undefined) out.push('oif', r.oif, ...(r.oifDetached ? ['[detached]'] : []))
  if (r.uidrange !== undefined) out.push('uidrange', r.uidrange)
  if (r.ipproto !== undefined) out.push('ipproto', /^\d+$/.test(r.ipproto) ? `ipproto-${r.ipproto}` : r.ipproto)
  if (r.sport) out.push('sport', range(r.sport))
  if (r.dport) out.push('dport', range(r.dport))
  const l3mdev = r.unmodelled.includes('l3mdev')
  out.push(...r.unmodelled.filter((x) => x !== 'l3mdev'))
  if (r.action.kind === 'table') out.push('lookup', l3mdev ? '[l3mdev-table]' : r.action.table)
  if (r.suppressPrefixLength !== undefined) out.push('suppress_prefixlength', String(r.suppressPrefixLength))
  if (r.suppressIfGroup !== undefined) out.push('suppress_ifgroup', r.suppressIfGroup)
  switch (r.action.kind) {
    case 'table':
      break
    case 'goto':
      out.push('goto', String(r.action.priority), ...(r.action.unresolved ? ['[unresolved]'] : []))
      break
    case 'nop':
    case 'blackhole':
    case 'unreachable':
    case 'prohibit':
      out.push(r.action.kind)
      break
    default:
      r.action satisfies never
  }
  if (r.protocol !== undefined && r.protocol !== 'kernel') out.push('proto', r.protocol)
  return out.join(' ')
}

/** Rules keep the host bits of their prefixes, and so does the text. */
function selector(p: Prefix): string {
  return p.length === (p.ip.family === 4 ? 32 : 128) ? p.ip.text : `${p.ip.text}/${p.length}`
}

/** printf's %#x has no 0x before zero */
const hex = (n: number): string => (n === 0 ? '0' : `0x${n.toString(16)}`)

const range = (r: { readonly lo: number; readonly hi: number }): string => (r.lo === r.hi ? String(r.lo) : `${r.lo}-${r.hi}`)
