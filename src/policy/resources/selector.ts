import * as v from 'valibot'
import { readLabelSelector } from '../../cluster/selector/kubernetes.ts'
import { parseSelector } from '../../cluster/selector/parse.ts'
import type { Selector } from '../../cluster/selector/types.ts'
import { steps } from './schema.ts'

/** A LabelSelector; an empty one selects everything. */
export const labelSelector: v.GenericSchema<unknown, Selector> = v.pipe(
  v.unknown(),
  v.rawTransform<unknown, Selector>(({ dataset, addIssue, NEVER }) => {
    const read = readLabelSelector(dataset.value)
    if (read.kind !== 'invalid') return read
    for (const { path, message } of read.problems) addIssue({ message, path: steps(path) })
    return NEVER
  }),
)

/** Without brackets around it. */
const ALONE = /^[ \t]*global\([ \t]*\)[ \t]*$/

/** Longest selector that Calico's resource definitions take, in most places. */
const LENGTH = 1024

/**
 * A selector of Calico's; the empty text is the same as none. `global()` is meant for the namespaceSelector of a rule, where it must stand
 * alone; some fields take it anywhere.
 */
export function selector(
  global: 'alone' | 'anywhere' | 'refused' = 'refused',
  length = LENGTH,
): v.GenericSchema<unknown, Selector | undefined> {
  return v.pipe(
    v.string(),
    v.rawTransform<string, Selector | undefined>(({ dataset, addIssue, NEVER }) => {
      const text = dataset.value
      if (text === '') return undefined
      if (text.length > length) addIssue({ message: `has ${text.length} characters, at most ${length} are allowed` })
      const parsed = parseSelector(text)
      if (parsed.kind === 'error') {
        addIssue({ message: `is no selector: ${parsed.message} in column ${parsed.column}` })
        return NEVER
      }
      // as Calico does, by the text: global( in quotes is refused too
      if (text.includes('global(')) {
        if (global === 'refused') addIssue({ message: 'global() is only for the namespaceSelector of a source or destination' })
        else if (global === 'alone' && !ALONE.test(text)) addIssue({ message: 'global() must stand alone' })
      }
      return parsed
    }),
  )
}
