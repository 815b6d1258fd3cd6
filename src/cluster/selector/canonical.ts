import type { Selector } from './types.ts'

const known = new WeakMap<Selector, string>()

/**
 * The one text of a selector: what Calico's set names are hashed from (parser.Selector.String). Double quotes, brackets around every
 * `&&` and `||`, sets sorted. Equal texts mean equal selectors. A key or value that the language can't write (a LabelSelector of a file
 * may hold anything) is written as `\` and a JSON text, so that it is mistaken for nothing else.
 */
export function canonical(selector: Selector): string {
  const text = known.get(selector)
  if (text !== undefined) return text
  const written = write(selector, label, canonical)
  known.set(selector, written)
  return written
}

/** A selector in Calico's language, with labels and operands as they are told to be written. */
export function write(selector: Selector, label: (key: string) => string, operand: (selector: Selector) => string): string {
  switch (selector.kind) {
    case 'all':
      return 'all()'
    case 'global':
      return 'global()'
    case 'has':
      return `has(${label(selector.key)})`
    case 'equal':
    case 'notEqual':
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      return `${label(selector.key)} ${WORDS[selector.kind]} ${quoted(selector.value)}`
    case 'in':
    case 'notIn':
      return `${label(selector.key)} ${WORDS[selector.kind]} {${selector.values.map(quoted).join(', ')}}`
    case 'not':
      return `!${operand(selector.operand)}`
    case 'and':
    case 'or':
      return `(${selector.operands.map(operand).join(` ${WORDS[selector.kind]} `)})`
  }
}

const WORDS = {
  equal: '==',
  notEqual: '!=',
  contains: 'contains',
  startsWith: 'starts with',
  endsWith: 'ends with',
  in: 'in',
  notIn: 'not in',
  and: '&&',
  or: '||',
} as const

const label = (key: string): string => (/^[A-Za-z0-9_./-]+$/.test(key) ? key : unwritable(key))

function quoted(value: string): string {
  if (!value.includes('"')) return `"${value}"`
  return value.includes("'") ? unwritable(value) : `'${value}'`
}

const unwritable = (text: string): string => `\\${JSON.stringify(text)}`
