import { excerpt } from '../../kernel/words.ts'
import { rec } from '../items.ts'
import { allOf, byBytes, NOTHING, type Selector, valueSet } from './types.ts'

/** Where a field is inside the object that was read: `['matchExpressions', 0, 'key']`. */
type FieldPath = readonly (string | number)[]

/** What the API server would refuse: a field, and what is wrong with it. */
export interface FieldProblem {
  readonly path: FieldPath
  readonly message: string
}

export interface FieldProblems {
  readonly kind: 'invalid'
  readonly problems: readonly FieldProblem[]
}

/**
 * A LabelSelector of Kubernetes as it stands in an object, read as strictly as the API server reads it
 * (apimachinery pkg/apis/meta/v1/validation, unknown fields refused as with fieldValidation=Strict). Where the API server names
 * `matchLabels`, the path goes on to the label. Absent (undefined or null) selects nothing, empty selects all: what an absent one means
 * to an object, the object must say.
 */
export function readLabelSelector(json: unknown): Selector | FieldProblems {
  if (json === undefined || json === null) return NOTHING
  const problems = new Problems()
  const terms: Selector[] = []
  if (problems.object(json, [], ['matchLabels', 'matchExpressions'])) {
    const { matchLabels, matchExpressions } = rec(json)
    terms.push(...readLabels(matchLabels, problems), ...readExpressions(matchExpressions, problems))
  }
  return problems.list.length > 0 ? { kind: 'invalid', problems: problems.list } : allOf(terms)
}

function readLabels(json: unknown, problems: Problems): Selector[] {
  if (json === undefined || json === null || !problems.object(json, ['matchLabels'])) return []
  return Object.entries(rec(json))
    .sort(([a], [b]) => byBytes(a, b))
    .map(([key, given]) => {
      const path = ['matchLabels', key]
      problems.add(path, ...labelKeyProblems(key))
      const value = problems.text(given, path)
      problems.add(path, ...labelValueProblems(value))
      return { kind: 'equal', key, value }
    })
}

function readExpressions(json: unknown, problems: Problems): Selector[] {
  if (json === undefined || json === null) return []
  if (Array.isArray(json)) return json.flatMap((fields, i) => readExpression(fields, ['matchExpressions', i], problems))
  problems.add(['matchExpressions'], 'must be a list')
  return []
}

function readExpression(json: unknown, path: FieldPath, problems: Problems): Selector[] {
  if (!problems.object(json, path, ['key', 'operator', 'values'])) return []
  const fields = rec(json)
  const at = (...field: FieldPath): FieldPath => [...path, ...field]
  const key = problems.text(fields.key, at('key'))
  const operator = problems.text(fields.operator, at('operator'))
  const given = fields.values ?? []
  if (!Array.isArray(given)) problems.add(at('values'), 'must be a list')
  const values = (Array.isArray(given) ? given : []).map((value, i) => problems.text(value, at('values', i)))
  const term = expression(key, operator, values)
  if (term === undefined) problems.add(at('operator'), `${shown(operator)} must be In, NotIn, Exists or DoesNotExist`)
  else if (term.kind === 'in' || term.kind === 'notIn') {
    if (Array.isArray(given) && values.length === 0) problems.add(at('values'), `must hold a value when the operator is ${operator}`)
  } else if (values.length > 0) problems.add(at('values'), `must not be there when the operator is ${operator}`)
  problems.add(at('key'), ...labelKeyProblems(key))
  for (const [i, value] of values.entries()) problems.add(at('values', i), ...labelValueProblems(value))
  return term === undefined ? [] : [term]
}

function expression(key: string, operator: string, values: readonly string[]): Selector | undefined {
  switch (operator) {
    case 'In':
      return { kind: 'in', key, values: valueSet(values) }
    case 'NotIn':
      return { kind: 'notIn', key, values: valueSet(values) }
    case 'Exists':
      return { kind: 'has', key }
    case 'DoesNotExist':
      return { kind: 'not', operand: { kind: 'has', key } }
    default:
      return undefined
  }
}

class Problems {
  readonly list: FieldProblem[] = []

  add(path: FieldPath, ...messages: readonly string[]): void {
    for (const message of messages) this.list.push({ path, message })
  }

  /** Whether it is an object; and, if `fields` are given, says which others it has. */
  object(json: unknown, path: FieldPath, fields?: readonly string[]): boolean {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      this.add(path, 'must be an object')
      return false
    }
    for (const field of Object.keys(json)) if (fields?.includes(field) === false) this.add([...path, field], 'unknown field')
    return true
  }

  /** A text; null and nothing are the empty one, as Go decodes them. YAML makes numbers and booleans of what is not quoted. */
  text(json: unknown, path: FieldPath): string {
    if (json === undefined || json === null) return ''
    if (typeof json === 'string') return json
    const scalar = typeof json === 'number' || typeof json === 'boolean'
    this.add(path, scalar ? `${String(json)} must be a text: put it in quotes` : 'must be a text')
    return ''
  }
}

const PART = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const DOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/
const PART_LENGTH = 63
const DOMAIN_LENGTH = 253

/** Why a text is no label key: `[DOMAIN/]NAME` (apimachinery pkg/api/validate/content.IsLabelKey). */
export function labelKeyProblems(key: string): readonly string[] {
  const parts = key.split('/')
  if (parts.length > 2) return [`${shown(key)} is no label key: more than one /`]
  const name = parts.at(-1) as string
  const problems: string[] = []
  if (parts.length === 2) {
    const domain = parts[0] as string
    if (domain === '') problems.push(`${shown(key)} is no label key: nothing before the /`)
    else {
      if (domain.length > DOMAIN_LENGTH) problems.push(`${shown(key)} is no label key: more than ${DOMAIN_LENGTH} characters before the /`)
      else if (!DOMAIN.test(domain))
        problems.push(`${shown(key)} is no label key: what is before the / must be a DNS name in small letters`)
    }
  }
  if (name === '') problems.push(`${shown(key)} is no label key: the name is empty`)
  else {
    if (name.length > PART_LENGTH) problems.push(`${shown(key)} is no label key: the name has more than ${PART_LENGTH} characters`)
    if (!PART.test(name)) problems.push(`${shown(key)} is no label key: the name must be ${LETTERS}`)
  }
  return problems
}

/** Why a text is no label value (apimachinery pkg/api/validate/content.IsLabelValue). */
export function labelValueProblems(value: string): readonly string[] {
  const problems: string[] = []
  if (value.length > PART_LENGTH) problems.push(`${shown(value)} is no label value: it has more than ${PART_LENGTH} characters`)
  if (value !== '' && !PART.test(value)) problems.push(`${shown(value)} is no label value: it must be empty or ${LETTERS}`)
  return problems
}

const LETTERS = 'letters, digits, -, _ and ., with a letter or digit at either end'
const shown = (text: string): string => `"${excerpt(text)}"`
