import type { Ipset, IpsetDump, Member } from './types.ts'

/** Prints sets as `ipset save` does: the inverse of `parseIpsetSave`, from the typed sets alone. */
export function formatIpsetSave(dump: IpsetDump): string {
  const lines: { readonly line: number; readonly text: string }[] = []
  for (const set of dump.sets.values()) {
    lines.push({ line: set.line, text: formatCreate(set) })
    for (const member of set.members) lines.push({ line: member.line, text: formatMember(set.name, member) })
  }
  // the tool prints set by set; a file made by hand may not be in that order
  const sorted = lines.every(({ line }, i) => i === 0 || (lines[i - 1] as { line: number }).line <= line)
  return (sorted ? lines : lines.toSorted((x, y) => x.line - y.line)).map(({ text }) => `${text}\n`).join('')
}

/** `create NAME TYPE OPTIONS…` */
export const formatCreate = (set: Ipset): string => ['create', set.name, set.type, ...set.options].join(' ')

/** `add NAME ELEMENT OPTIONS…` */
export const formatMember = (name: string, member: Member): string =>
  ['add', name, member.parts.map((p) => p.text).join(','), ...member.options].join(' ')
