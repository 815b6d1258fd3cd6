import { ntop } from '../addresses.ts'
import { quote } from '../words.ts'
import { formatPorts } from './options.ts'
import type { Match } from './types.ts'

type Kind<K extends Match['kind']> = Extract<Match, { kind: K }>

/** One match as iptables-save prints it: `! -s 10.0.0.0/8`, `-m tcp --dport 80`. */
export function formatMatch(match: Match): string {
  switch (match.kind) {
    case 'source':
    case 'destination':
      return `${not(match)}-${match.kind === 'source' ? 's' : 'd'} ${formatMasked(match)}`
    case 'in':
    case 'out':
      return `${not(match)}-${match.kind === 'in' ? 'i' : 'o'} ${match.device}`
    case 'protocol':
      return `${not(match)}-p ${match.name}`
    case 'fragment':
      return `${not(match)}-f`
    case 'comment':
      return `-m comment --comment ${match.quoted ? `"${match.text}"` : quote(match.text)}`
    default:
      return `-m ${formatModule(match)}`
  }
}

const not = (x: { readonly not?: boolean }) => (x.not ? '! ' : '')
const spaced = (words: readonly string[]) => words.map((w) => ` ${w}`).join('')
const hex = (n: number) => `0x${n.toString(16)}`

/** `0x1`, or `0x1/0xff` where the mask is not all ones (libxt_mark.c, print_mark). */
export const formatMasks = (value: number, mask: number) => (mask === 0xffffffff ? hex(value) : `${hex(value)}/${hex(mask)}`)

function formatMasked({ prefix, mask }: Kind<'source'> | Kind<'destination'>): string {
  return `${ntop(prefix.ip)}/${mask ?? prefix.length}`
}

function formatModule(
  match: Exclude<Match, { kind: 'source' | 'destination' | 'in' | 'out' | 'protocol' | 'fragment' | 'comment' }>,
): string {
  switch (match.kind) {
    case 'ports':
      return match.module + match.options.map((o) => ` ${not(o)}${formatPortOption(o)}`).join('')
    case 'multiport':
      return `multiport ${not(match)}--${match.which} ${match.ports.map(formatPorts).join(',')}`
    case 'icmp':
      if (match.text === '') return match.module
      return `${match.module} ${not(match)}--${match.module === 'icmp' ? 'icmp' : 'icmpv6'}-type ${match.text}`
    case 'mark':
    case 'connmark':
      return `${match.kind} ${not(match)}--mark ${formatMasks(match.value, match.mask)}`
    case 'conntrack':
      return `conntrack${match.options.map((o) => ` ${not(o)}--${formatConntrack(o)}`).join('')}`
    case 'state':
      return `state ${not(match)}--state ${match.states.join(',')}`
    case 'addrtype':
      return `addrtype${match.options.map((o) => ('types' in o ? ` ${not(o)}--${o.kind} ${o.types.join(',')}` : ` --${o.kind}`)).join('')}`
    case 'set':
      return `set ${not(match)}--match-set ${match.set} ${match.directions.join(',')}${spaced(match.rest)}`
    case 'statistic':
      if (match.mode === 'random') return `statistic --mode random ${not(match)}--probability ${match.probability}`
      return `statistic --mode nth ${not(match)}--every ${match.every}${spaced(match.rest)}`
    case 'recent':
      return `recent ${not(match)}--${match.mode}${spaced(match.options)}`
    case 'rpfilter':
    case 'physdev':
    case 'owner':
    case 'socket':
      return match.kind + spaced(match.options)
    case 'iprange':
      return `iprange${match.options.map((o) => ` ${not(o)}--${o.kind} ${o.text}`).join('')}`
    case 'module':
      return match.module + spaced(match.words)
  }
}

function formatPortOption(option: Kind<'ports'>['options'][number]): string {
  switch (option.kind) {
    case 'sport':
    case 'dport':
      return `--${option.kind} ${formatPorts(option.port)}`
    case 'tcp-flags':
      return option.text
    case 'other':
      return option.words.join(' ')
  }
}

function formatConntrack(option: Kind<'conntrack'>['options'][number]): string {
  switch (option.kind) {
    case 'ctstate':
      return `ctstate ${option.states.join(',')}`
    case 'ctstatus':
      return `ctstatus ${option.statuses.join(',')}`
    case 'ctdir':
      return `ctdir ${option.direction}`
    case 'ctproto':
    case 'ctexpire':
      return `${option.kind} ${option.text}`
    case 'ctaddr':
      return `${option.option} ${option.text}`
    case 'ctport':
      return `${option.option} ${formatPorts(option.port)}`
  }
}
