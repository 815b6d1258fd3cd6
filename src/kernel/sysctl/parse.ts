import { quote } from '../json.ts'
import { eachLine } from '../lines.ts'
import { ParseError } from '../source.ts'
import type { Sysctls } from './types.ts'

/**
 * Parses `key = value` lines as sysctl(8) prints them. Keys are dotted, with `/` for the dots of a device's name; keys written
 * the other way round (`net/ipv4/ip_forward`) are taken too. The last of equal keys counts.
 */
export function parseSysctl(text: string, file: string): Sysctls {
  const values = new Map<string, { readonly value: string; readonly line: number }>()
  eachLine(text, (row, line) => {
    const equals = row.indexOf('=')
    const key = row.slice(0, Math.max(0, equals)).trim()
    if (!/^[a-z0-9_-]+[./][^\s\p{Cc}]{1,150}$/u.test(key))
      throw new ParseError(file, line, `not a sysctl: ${quote(row)}; expected \`key = value\` as sysctl prints it`)
    values.set(dotted(key), { value: row.slice(equals + 1).trim(), line })
  })
  if (values.size === 0) throw new ParseError(file, 1, 'the file is empty; expected `key = value` lines as sysctl prints them')
  return { file, get: (key) => values.get(key), size: values.size }
}

/** sysctl(8): whichever of `.` and `/` comes first separates, the other one stands for a dot inside a name. */
export function dotted(key: string): string {
  const slash = key.indexOf('/')
  const dot = key.indexOf('.')
  if (slash < 0 || (dot >= 0 && dot < slash)) return key
  return key.replace(/[./]/g, (c) => (c === '/' ? '.' : '/'))
}
