import * as v from 'valibot'
import type { FieldPath } from '../../cluster/manifest/types.ts'
import { nearest } from '../../nearest.ts'
import { problem, type ResourceProblem } from './problem.ts'

/*
 * The few shapes that Kubernetes objects are made of, as valibot schemas. Two habits of API machinery are in them: a field that is null
 * is a field that is not there, and unknown fields are refused (kubectl --validate=strict, calicoctl).
 * Checks that look at several fields hang on the smallest object that holds them, and run as soon as these fields have their shape,
 * whatever is wrong elsewhere: so all problems are told at once.
 */

/** What a schema yields. */
export type Of<T extends v.GenericSchema> = v.InferOutput<T>

/** Reports a problem at a path inside of the value that is checked. */
export type Say = (path: FieldPath, message: string, hint?: string) => void
type Check<T> = (value: T, say: Say) => void
type Schema<T> = v.GenericSchema<unknown, T>

/** Runs `check` on values that have their shape. */
export function checked<T>(check: Check<T>) {
  return v.rawCheck<T>(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    check(dataset.value, (path, message, hint) => addIssue({ message, expected: hint, path: steps(path) }))
  })
}

/** A path as valibot has it. */
export const steps = (path: FieldPath) =>
  path.map((key) => ({ type: 'unknown', origin: 'value', input: undefined, key, value: undefined })) as unknown as
    | [v.IssuePathItem, ...v.IssuePathItem[]]
    | undefined

/** An object with exactly these fields. A check of some of them runs if those are as they should be, whatever the others are. */
export function fields<E extends v.ObjectEntries>(entries: E, ...checks: readonly FieldsCheck<Fields<E>>[]): Schema<Fields<E>> {
  const shape = v.pipe(v.unknown(), withoutNulls, v.looseObject(entries)) as unknown as Schema<Fields<E>>
  const exact = v.pipe(shape, onlyThese(Object.keys(entries)))
  return checks.length > 0 ? v.pipe(exact, fieldsChecked(checks)) : exact
}

/** What `fields` yields. */
export type Fields<E extends v.ObjectEntries> = Readonly<v.InferOutput<v.StrictObjectSchema<E, undefined>>>

/** Of all fields, or `of` some: `check` must look at no others. */
export type FieldsCheck<T> = Check<T> | { readonly of: readonly (keyof T)[]; readonly check: Check<T> }

function fieldsChecked<T>(checks: readonly FieldsCheck<T>[]) {
  return v.rawCheck<T>(({ dataset, addIssue }) => {
    const wrong = dataset.typed ? undefined : new Set(dataset.issues.map(({ path }) => path?.[0].key))
    // no object at all
    if (wrong?.has(undefined)) return
    for (const one of checks) {
      const [of, check] = typeof one === 'function' ? [undefined, one] : [one.of, one.check]
      if (wrong && (of === undefined || of.some((key) => wrong.has(key)))) continue
      check(dataset.value as T, (path, message, hint) => addIssue({ message, expected: hint, path: steps(path) }))
    }
  })
}

/** Structural schemas prune nulls of fields that are not nullable before defaults are set; Go leaves such fields at their zero value. */
const withoutNulls = v.rawTransform<unknown, object>(({ dataset, addIssue, NEVER }) => {
  const input = dataset.value
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    addIssue({ message: mismatch('an object', input) })
    return NEVER
  }
  let nulls = false
  for (const key in input) {
    if ((input as Record<string, unknown>)[key] === null) nulls = true
    if (!DROPPED.has(key)) continue
    addIssue({ message: 'unknown field', path: steps([key]) })
    return NEVER
  }
  return nulls ? Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null)) : input
})

/** Keys that valibot leaves out without a word. */
const DROPPED: ReadonlySet<string> = new Set(['__proto__', 'prototype', 'constructor'])

function onlyThese<T>(known: readonly string[]) {
  const names = new Set(known)
  return v.rawCheck<T>(({ dataset, addIssue }) => {
    const { value } = dataset
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return
    for (const key in value) {
      if (names.has(key) || DROPPED.has(key)) continue
      const near = nearest(key, known, 1)[0]
      addIssue({
        message: 'unknown field',
        expected: near ? `did you mean ${near}?` : `fields here: ${known.join(', ')}`,
        path: steps([key]),
      })
    }
  })
}

/** A list; `limit` is the most items that the API takes. */
export function list<T>(
  item: Schema<T>,
  { min = 0, max = Number.POSITIVE_INFINITY } = {},
  check?: Check<readonly T[]>,
): Schema<readonly T[]> {
  const size = checked<readonly T[]>((value, say) => {
    if (value.length < min) say([], min === 1 ? 'must not be empty' : `must have at least ${min} items`)
    if (value.length > max) say([], `has ${value.length} items, at most ${max} are allowed`)
    check?.(value, say)
  })
  return v.pipe(v.array(item) as Schema<readonly T[]>, size)
}

/** A string, and what is wrong with it: `check` gives a message or nothing. */
export function text(check?: (value: string) => string | undefined, hint?: string): Schema<string> {
  if (!check) return v.string()
  return v.pipe(
    v.string(),
    checked((value, say) => {
      const message = check(value)
      if (message) say([], message, hint)
    }),
  )
}

/** A number of any kind. */
export const number = (): Schema<number> => v.number()

/** `true` or `false`. */
export const flag = (): Schema<boolean> => v.boolean()

/** A whole number. */
export function integer(min: number, max: number): Schema<number> {
  return v.pipe(
    v.number(),
    checked((value, say) => {
      if (!Number.isInteger(value)) say([], `must be a whole number, not ${value}`)
      else if (value < min || value > max) say([], `must be between ${min} and ${max}, not ${value}`)
    }),
  )
}

/** One of a few words. */
export const oneOf = <const W extends readonly (string | number)[]>(words: W): Schema<W[number]> =>
  v.picklist(words, ({ input }) => mismatch(either(words), input))

/** Texts by key: labels, annotations. */
export function texts(check?: Check<Readonly<Record<string, string>>>): Schema<Readonly<Record<string, string>>> {
  const shape = v.rawTransform<unknown, Readonly<Record<string, string>>>(({ dataset, addIssue, NEVER }) => {
    const input = dataset.value
    if (typeof input !== 'object' || input === null || Array.isArray(input)) {
      addIssue({ message: mismatch('a map of strings', input) })
      return NEVER
    }
    // no prototype: a label may be called constructor
    const out = Object.create(null) as Record<string, string>
    for (const [key, value] of Object.entries(input)) {
      if (typeof value === 'string') out[key] = value
      // a null in a map of strings is the empty string (encoding/json)
      else if (value === null) out[key] = ''
      else addIssue({ message: mismatch('a string', value), expected: quoteIt(value), path: steps([key]) })
    }
    return out
  })
  const schema = check ? v.pipe(v.unknown(), shape, checked(check)) : v.pipe(v.unknown(), shape)
  return schema
}

/** A field that may be left out; with a default, what the API fills in. */
export const optional = v.optional

/** Reads `input` by `schema`: the value with its defaults, or every reason why it is refused. */
export function read<T>(schema: Schema<T>, input: unknown): { readonly value: T } | { readonly problems: readonly ResourceProblem[] } {
  const result = v.safeParse(schema, input, { message: messageOf })
  if (result.success) return { value: result.output }
  const problems = result.issues.map((issue) => {
    const hint = issue.kind === 'schema' ? quoteIt(issue.input) : issue.expected
    return problem(issue.path?.map((step) => step.key as string | number) ?? [], issue.message, hint ?? undefined)
  })
  return { problems }
}

/** What is wrong with a value of the wrong kind, in the words of YAML. */
function messageOf(issue: v.BaseIssue<unknown>): string {
  if (issue.input === undefined) return 'is required'
  switch (issue.type) {
    case 'string':
      return mismatch('a string', issue.input)
    case 'number':
      return mismatch('a number', issue.input)
    case 'boolean':
      return mismatch('true or false', issue.input)
    case 'array':
      return mismatch('a list', issue.input)
    default:
      return `must be ${issue.expected ?? 'something else'}, not ${shown(issue.input)}`
  }
}

const mismatch = (wanted: string, value: unknown): string =>
  value === undefined ? 'is required' : `must be ${wanted}, not ${shown(value)}`

function either(list: readonly unknown[]): string {
  const all = list.map(String)
  return all.length < 2 ? all.join() : `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`
}

function shown(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value)
  return `the ${typeof value} ${String(value)}`
}

/** YAML 1.1 reads yes, no, on, off, y, n and bare digits as something else than text. */
const quoteIt = (value: unknown): string | undefined =>
  typeof value === 'boolean' || typeof value === 'number' ? 'put it in quotes if it is text' : undefined
