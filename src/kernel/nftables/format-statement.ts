import { typeOf } from './datatype.ts'
import type { Expression } from './expression-types.ts'
import { formatDuration, formatExpression, formatSet, formatVerdict, quoted } from './format-expression.ts'
import { formatStateful } from './format-stateful.ts'
import type { LogOptions, NatStatement, RejectWith, Statement } from './statement-types.ts'
import { isBitmask, symbolName } from './symbols.ts'

/** A statement as nft reads it. `xt` and `other` come out as what is known of them, which nft may refuse. */
export function formatStatement(s: Statement): string {
  switch (s.kind) {
    case 'match':
      return formatMatch(s)
    case 'verdict':
      return formatVerdict(s.verdict)
    case 'vmap':
      return `${formatExpression(s.key)} vmap ${formatSet(s.map, typeOf(s.key), 'verdict')}`
    case 'mangle':
      return `${formatExpression(s.key)} set ${formatAssigned(s.value, s.key)}`
    case 'counter':
    case 'limit':
    case 'quota':
    case 'connlimit':
    case 'last':
      return formatStateful(s)
    case 'object':
      return formatObject(s.type, formatExpression(s.name, 'object'))
    case 'queue':
      return ['queue', s.flags.length > 0 ? `flags ${s.flags.join(',')}` : '', s.number ? `to ${formatExpression(s.number)}` : '']
        .filter((w) => w !== '')
        .join(' ')
    case 'reject':
      return `reject with ${formatReject(s.with)}`
    case 'snat':
    case 'dnat':
    case 'masquerade':
    case 'redirect':
      return formatNat(s)
    case 'notrack':
      return 'notrack'
    case 'log':
      return formatLog(s.options)
    case 'set':
      return formatSetUpdate(s)
    case 'meter': {
      const size = s.size === undefined ? '' : ` size ${s.size}`
      return `meter ${s.name}${size} { ${formatExpression(s.key)} ${formatStateful(s.statement)} }`
    }
    case 'dup': {
      const device = s.device ? formatExpression(s.device, 'iface_index') : undefined
      if (!s.address) return `dup to ${device}`
      return `dup to ${formatExpression(s.address)}${device === undefined ? '' : ` device ${device}`}`
    }
    case 'fwd': {
      const device = formatExpression(s.device, 'iface_index')
      return s.address ? `fwd ${s.family ?? 'ip'} to ${formatExpression(s.address)} device ${device}` : `fwd to ${device}`
    }
    case 'tproxy':
      return `tproxy ${s.family ? `${s.family} ` : ''}to ${formatTarget(s.address, s.port)}`
    case 'synproxy': {
      const mss = s.mss === undefined ? [] : [`mss ${s.mss}`]
      const wscale = s.wscale === undefined ? [] : [`wscale ${s.wscale}`]
      return ['synproxy', ...mss, ...wscale, ...s.flags].join(' ')
    }
    case 'flow':
      return `flow add @${s.flowtable}`
    case 'reset':
      return `reset ${formatExpression(s.option)}`
    case 'xt':
      return `xt ${s.type} ${quoted(s.name)}`
    case 'other':
      return s.text
  }
}

function formatMatch(s: Extract<Statement, { kind: 'match' }>): string {
  const type = typeOf(s.left)
  const left = formatExpression(s.left)
  const single = typeof type === 'string' ? type : undefined
  if (s.operator === 'in') return `${left} ${formatBits(s.right, single)}`
  // for a set of bits no operator means the test of bits
  const set = s.right.kind === 'set' || s.right.kind === 'setref'
  const operator = s.operator === '==' && (!isBitmask(single) || set) && s.left.kind !== 'binary' ? '' : `${s.operator} `
  return `${left} ${operator}${formatExpression(s.right, type)}`
}

/** `established,related` */
function formatBits(e: Expression, type: string | undefined): string {
  if (e.kind !== 'number' || type === undefined) return formatExpression(e, type)
  const names: (string | undefined)[] = []
  for (let bit = 0; bit < 32; bit++) if ((e.value >>> bit) & 1) names.push(symbolName(type, 2 ** bit))
  return names.includes(undefined) ? formatExpression(e, type) : names.join(',')
}

function formatAssigned(value: Expression, key: Expression): string {
  const type = typeOf(key)
  return typeof type === 'string' && isBitmask(type) ? formatBits(value, type) : formatExpression(value, type)
}

function formatObject(type: string, name: string): string {
  if (type.startsWith('ct ')) return `${type} set ${name}`
  return type === 'secmark' ? `meta secmark set ${name}` : `${type} name ${name}`
}

function formatReject(r: RejectWith): string {
  if (r.kind === 'tcp reset') return r.kind
  return `${r.kind} type ${symbolName(`${r.kind}_code`, r.code) ?? r.code}`
}

function formatNat(s: NatStatement): string {
  const flags = s.flags.filter((f) => f !== 'netmap').join(',')
  const prefix = s.flags.includes('netmap') ? ['prefix'] : []
  const to = s.address || s.port ? ['to', formatTarget(s.address, s.port)] : []
  return [s.kind, s.family, ...prefix, ...to, flags].filter((w) => w !== undefined && w !== '').join(' ')
}

/** `10.0.0.1:80`, `[fd00::1]:80`, `:80` */
function formatTarget(address: Expression | undefined, port: Expression | undefined): string {
  const to = port ? `:${formatExpression(port, 'inet_service')}` : ''
  if (!address) return to
  const text = formatExpression(address, ['ip', 'inet_service'])
  if (address.kind === 'map') return port ? `${text} ${to}` : text
  return port && text.includes(':') ? `[${text}]${to}` : `${text}${to}`
}

function formatLog(o: LogOptions): string {
  const words = ['log']
  if (o.prefix !== undefined) words.push(`prefix ${quoted(o.prefix)}`)
  if (o.group !== undefined) words.push(`group ${o.group}`)
  if (o.snaplen !== undefined) words.push(`snaplen ${o.snaplen}`)
  if (o.queueThreshold !== undefined) words.push(`queue-threshold ${o.queueThreshold}`)
  if (o.level !== undefined) words.push(`level ${o.level}`)
  return [...words, ...o.flags.map((f) => `flags ${f}`)].join(' ')
}

function formatSetUpdate(s: Extract<Statement, { kind: 'set' }>): string {
  const words = [formatExpression(s.key)]
  if (s.timeout !== undefined) words.push(`timeout ${formatDuration(s.timeout)}`)
  if (s.expires !== undefined) words.push(`expires ${formatDuration(s.expires)}`)
  words.push(...s.statements.map(formatStateful))
  if (s.comment !== undefined) words.push(`comment ${quoted(s.comment)}`)
  if (s.data) words.push(`: ${formatExpression(s.data)}`)
  return `${s.operation} @${s.set} { ${words.join(' ')} }`
}
