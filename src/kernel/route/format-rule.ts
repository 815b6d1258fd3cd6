import { formatDestination } from './format.ts'
import type { RoutingRule } from './types.ts'

/** The parts of a rule that its text is made of. */
export type RuleFields = Omit<RoutingRule, 'text' | 'source'>

/** One rule as `ip rule` prints it (iproute2 print_rule), with the tab after the priority as a blank. */
export function formatRule(r: RuleFields): string {
  const out = [`${r.priority}:`]
  if (r.not) out.push('not')
  out.push('from', r.src ? formatDestination(r.src) : 'all')
  if (r.dst) out.push('to', formatDestination(r.dst))
  if (r.tos) out.push('tos', `0x${r.tos.toString(16).padStart(2, '0')}`)
  if (r.fwmark) out.push('fwmark', `0x${r.fwmark.value.toString(16)}${r.fwmark.mask === 0xffffffff ? '' : `/0x${r.fwmark.mask.toString(16)}`}`)
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
      out.push('goto', String(r.action.priority))
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

const range = (r: { readonly lo: number; readonly hi: number }): string => (r.lo === r.hi ? String(r.lo) : `${r.lo}-${r.hi}`)
