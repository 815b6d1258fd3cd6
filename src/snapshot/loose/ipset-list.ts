/** `ipset list`, as `ipset save` prints it (ipset, lib/session.c): the headings hold what `create` takes. */
import { NotUnderstood } from './not-understood.ts'

/** Does a file begin as `ipset list` prints a set? */
export const looksLikeSets = (text: string): boolean => /^Name: \S+\nType: \S+\n/.test(text)

/** The same as `ipset save` prints it. Throws NotUnderstood, with the line, on what ipset list does not print. */
export function setsOf(text: string): string {
  const out: string[] = []
  let name = ''
  let type = ''
  let members = false
  for (const [i, line] of text.split('\n').entries()) {
    const [, key, value = ''] = /^([A-Z][A-Za-z ]+):(?: (.*))?$/.exec(line) ?? []
    if (key === 'Name') [name, type, members] = [value, '', false]
    else if (key === 'Type') type = value
    else if (key === 'Header') out.push(`create ${name} ${type} ${value.trim()}`.trimEnd())
    else if (key === 'Members') members = true
    else if (line.trim() === '' || (key !== undefined && !members)) continue
    else if (members && key === undefined) out.push(`add ${name} ${line.trim()}`)
    else throw new NotUnderstood(i + 1, 'expected what ipset list prints')
  }
  return `${out.join('\n')}\n`
}
