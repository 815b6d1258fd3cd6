import type { Json } from '../../cluster/items.ts'
import type { Origin } from '../../policy/model.ts'
import { oneLine } from '../entry.ts'

/** A rule in the words of its author, on one line: `from: [podSelector app=web], ports: [5432/TCP]`, without its action and name. */
export function ruleText(origin: Origin): string {
  const rule = valueAt(origin)
  if (!isObject(rule)) return ''
  const parts = Object.entries(rule).filter(([key]) => key !== 'action' && key !== 'name' && key !== 'metadata')
  return oneLine(parts.length === 0 ? 'everything' : parts.map(([key, value]) => `${key}: ${flow(value)}`).join(', '))
}

/** Source lines from the one where something starts, as many as belong to it by their indentation. */
export function sourceLines(
  { object, path }: Origin,
  from: number,
  limit: number,
): readonly { readonly line: number; readonly text: string }[] {
  const { text } = object.place.document.source
  const lines: { line: number; text: string }[] = []
  let at = 0
  for (let line = 1; line < from && at >= 0; line++) at = text.indexOf('\n', at) + 1
  // one line may be all of a file
  if (path.length === 0) return []
  let depth: number | undefined
  for (let line = from; lines.length < limit && at < text.length; line++) {
    const end = text.indexOf('\n', at)
    const one = text.slice(at, end < 0 ? text.length : Math.min(end, at + 400))
    const indent = /^[ \t]*(?:- +)*/.exec(one)?.[0].length ?? 0
    const dash = /^[ \t]*/.exec(one)?.[0].length ?? 0
    if (depth === undefined) depth = indent > dash ? indent : dash + 1
    else if (one.trim() === '' || (dash < depth && !/^\s*[\]}],?\s*$/.test(one))) break
    lines.push({ line, text: one.trimEnd() })
    if (end < 0 || (line > from && /^\s*[\]}],?\s*$/.test(one) && dash < depth)) break
    at = end + 1
  }
  return lines
}

function valueAt({ object, path }: Origin): unknown {
  let value: unknown = object.value
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string | number, unknown>)[step]
  }
  return value
}

/** YAML in flow style, with label selectors the way that kubectl says them. Objects were read, so they are not deeper than their reader allows. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (!isObject(value)) return scalar(value)
  const entries = Object.entries(value)
  const [first] = entries
  if (first === undefined) return '{}'
  const port = portText(value)
  if (port !== undefined) return port
  const only = entries.length === 1 ? first : undefined
  if (only && isSelector(only[0], only[1])) return `${only[0]} ${selectorText(only[1] as Json)}`
  return `{${entries.map(([key, one]) => `${key}: ${isSelector(key, one) ? selectorText(one as Json) : flow(one)}`).join(', ')}}`
}

const isSelector = (key: string, value: unknown): boolean =>
  isObject(value) &&
  (key.endsWith('Selector') || key === 'namespaces') &&
  Object.keys(value).every((k) => k === 'matchLabels' || k === 'matchExpressions')

function selectorText(selector: Json): string {
  const labels = isObject(selector.matchLabels) ? Object.entries(selector.matchLabels).map(([key, value]) => `${key}=${scalar(value)}`) : []
  const expressions = Array.isArray(selector.matchExpressions) ? selector.matchExpressions.filter(isObject).map(expressionText) : []
  return [...labels, ...expressions].join(',') || '(all)'
}

function expressionText({ key, operator, values }: Json): string {
  const list = Array.isArray(values) ? values.map(scalar).join(',') : ''
  switch (operator) {
    case 'Exists':
      return scalar(key)
    case 'DoesNotExist':
      return `!${scalar(key)}`
    default:
      return `${scalar(key)} ${operator === 'NotIn' ? 'notin' : 'in'} (${list})`
  }
}

/** `{protocol: TCP, port: 80, endPort: 90}` → `80-90/TCP` */
function portText(value: Json): string | undefined {
  const { protocol, port, endPort } = value
  if (port === undefined && protocol === undefined) return undefined
  if (Object.keys(value).some((key) => key !== 'port' && key !== 'protocol' && key !== 'endPort')) return undefined
  if (port !== undefined && typeof port !== 'number' && typeof port !== 'string') return undefined
  const ports = port === undefined ? '' : endPort === undefined ? String(port) : `${port}-${scalar(endPort)}`
  const named = protocol === undefined ? 'TCP' : scalar(protocol)
  return ports === '' ? `any ${named} port` : `${ports}/${named}`
}

const scalar = (value: unknown): string => (typeof value === 'string' ? value : String(value))
const isObject = (x: unknown): x is Json => typeof x === 'object' && x !== null && !Array.isArray(x)
