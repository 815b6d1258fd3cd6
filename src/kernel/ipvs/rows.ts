import { ParseError } from '../source.ts'
import { excerpt } from '../words.ts'

/** The lines of a listing that begins with `title`. @throws ParseError if it begins otherwise, or its last line was cut off. */
export function rowsOf(text: string, file: string, title: string): readonly string[] {
  const rows = text.split('\n')
  if (!rows[0]?.startsWith(title)) throw new ParseError(file, 1, `expected “${title} …”, found “${excerpt(rows[0] ?? '')}”`)
  if (rows.pop() !== '') throw new ParseError(file, rows.length + 1, 'the last line has no newline: the dump was cut off')
  return rows
}
