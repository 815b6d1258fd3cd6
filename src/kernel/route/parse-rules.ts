import { type Family, type Prefix, parsePrefix } from '../../net/ip.ts'
import {
  fail,
  has,
  type JsonEntry,
  member,
  missing,
  optionalInteger,
  optionalText,
  parseEntries,
  quote,
  requiredInteger,
  requiredText,
} from '../json.ts'
import { formatRule } from './format-rule.ts'
import { tableName } from './parse.ts'
import type { RoutingRule } from './types.ts'

/** Keys of `ip -j rule` that `parseRule` reads. Any other may be a selector of a newer kernel: the rule is then unmodelled. */
const READ = new Set([
  'priority',
  'not',
  'src',
  'srclen',
  'dst',
  'dstlen',
  'tos',
  'fwmark',
  'fwmask',
  'iif',
  'iif_detached',
  'oif',
  'oif_detached',
  'uid_start',
  'uid_end',
  'ipproto',
  'sport',
  'sport_start',
  'sport_end',
  'dport',
  'dport_start',
  'dport_end',
  'table',
  'suppress_prefixlen',
  'suppress_ifgroup',
  'goto',
  'unresolved',
  'nop',
  'action',
  'to_addr',
  'protocol',
  'flow_from',
  'flow_to',
  'flow',
])

/** Parses `ip -j rule` or `ip -6 -j rule`; the family is that of the command, as most rules name no address. */
export function parseRules(text: string, file: string, family: Family): RoutingRule[] {
  return parseEntries(text, file, 'a routing rule', `ip ${family === 6 ? '-6 ' : ''}-j rule`).map((e) => parseRule(e, family))
}

function parseRule(e: JsonEntry, family: Family): RoutingRule {
  const priority = requiredInteger(e, 'priority')
  const fwmark = optionalInteger(e, 'fwmark')
  const mask = optionalInteger(e, 'fwmask')
  const src = selector(e, 'src', family)
  const dst = selector(e, 'dst', family)
  const iif = optionalText(e, 'iif')
  const oif = optionalText(e, 'oif')
  const tos = optionalInteger(e, 'tos', 255)
  const ipproto = protocolName(e)
  const sport = portRange(e, 'sport')
  const dport = portRange(e, 'dport')
  const uidStart = optionalInteger(e, 'uid_start')
  const uidEnd = optionalInteger(e, 'uid_end')
  const suppressPrefixLength = optionalInteger(e, 'suppress_prefixlen', 128)
  const suppressIfGroup = optionalText(e, 'suppress_ifgroup')
  const protocol = optionalText(e, 'protocol')
  const fields = {
    family,
    priority,
    not: has(e, 'not'),
    ...(src ? { src } : {}),
    ...(dst ? { dst } : {}),
    ...(iif === undefined ? {} : { iif }),
    ...(oif === undefined ? {} : { oif }),
    // `fwmark 0/0xff` prints as fwmask alone
    ...(fwmark === undefined && mask === undefined ? {} : { fwmark: { value: fwmark ?? 0, mask: mask ?? 0xffffffff } }),
    ...(tos ? { tos } : {}),
    ...(ipproto === undefined ? {} : { ipproto }),
    ...(sport ? { sport } : {}),
    ...(dport ? { dport } : {}),
    ...(uidStart === undefined && uidEnd === undefined ? {} : { uidrange: `${uidStart ?? 0}-${uidEnd ?? 0xffffffff}` }),
    ...(suppressPrefixLength === undefined ? {} : { suppressPrefixLength }),
    ...(suppressIfGroup === undefined ? {} : { suppressIfGroup }),
    ...(protocol === undefined ? {} : { protocol }),
    iifDetached: has(e, 'iif_detached'),
    oifDetached: has(e, 'oif_detached'),
    unmodelled: Object.keys(e.fields)
      .filter((key) => !READ.has(key))
      .map((key) => unmodelled(e, key)),
    action: action(e),
  }
  return { source: e.source, ...fields, text: formatRule(fields) }
}

function unmodelled(e: JsonEntry, key: string): string {
  const value = member(e, key)
  const name = quote(key).slice(1, -1)
  return typeof value === 'string' || typeof value === 'number' ? `${name} ${quote(String(value)).slice(1, -1)}` : name
}

function selector(e: JsonEntry, key: 'src' | 'dst', family: Family): Prefix | undefined {
  const text = optionalText(e, key)
  const length = optionalInteger(e, `${key}len`, family === 4 ? 32 : 128)
  if (text === undefined || text === 'all') return undefined
  const p = parsePrefix(length === undefined ? text : `${text}/${length}`)
  if (!p) return fail(e, `the routing rule's \`${key}\` ${quote(text)} is neither an address nor \`all\``)
  if (p.ip.family !== family)
    return fail(e, `the routing rule's \`${key}\` ${quote(text)} is not IPv${family}: is this the other family's file?`)
  return p
}

/** iproute2 prints protocols without a name as `ipproto-99`. */
function protocolName(e: JsonEntry): string | undefined {
  const value = member(e, 'ipproto')
  if (typeof value === 'number') return String(value)
  return optionalText(e, 'ipproto')?.replace(/^ipproto-/, '')
}

function portRange(e: JsonEntry, key: 'sport' | 'dport'): { lo: number; hi: number } | undefined {
  const one = optionalInteger(e, key, 65535)
  if (one !== undefined) return { lo: one, hi: one }
  const lo = optionalInteger(e, `${key}_start`, 65535)
  if (lo === undefined) return undefined
  return { lo, hi: optionalInteger(e, `${key}_end`, 65535) ?? lo }
}

function action(e: JsonEntry): RoutingRule['action'] {
  if (has(e, 'goto')) return { kind: 'goto', priority: requiredInteger(e, 'goto'), unresolved: has(e, 'unresolved') }
  if (has(e, 'nop')) return { kind: 'nop' }
  const word = optionalText(e, 'action')
  switch (word) {
    case undefined:
    case 'lookup':
      // `l3mdev` has no table: the rule is unmodelled by that key
      return {
        kind: 'table',
        table: has(e, 'l3mdev') ? 'l3mdev' : tableName(has(e, 'table') ? requiredText(e, 'table') : missing(e, 'table')),
      }
    case 'nop':
      return { kind: 'nop' }
    case 'blackhole':
    case 'unreachable':
    case 'prohibit':
      return { kind: word }
    default:
      return fail(e, `the routing rule's action is ${quote(word)}; known are lookup, goto, nop, blackhole, unreachable, prohibit`)
  }
}
