import type { Pen } from './pen.ts'
import { displayWidth, shortenMiddle, takeColumns } from './width.ts'

/** An entry on one line; a hostile or huge one does not make the line endless, even where nothing is cut to a screen. */
export function oneLine(entry: string): string {
  const flat = entry.length > 4000 ? entry.slice(0, 4000) : entry
  const line = flat.replace(/\s+/g, ' ').trim()
  return line.length > 1000 ? `${line.slice(0, 600)}…${line.slice(-300)}` : line
}

/** A rule without its comments: what it matches and does tells more than the hash that Felix wrote beside it. */
export const bareRule = (entry: string): string => entry.replace(/ ?-m comment --comment ("(?:[^"\\]|\\.)*"|\S+)/g, '')

/** Words that a reader can do without when the line is short. */
const terse = (entry: string): string =>
  bareRule(entry).replace(/\b(?:staged)?(?:global)?(?:cluster)?(?:kubernetes)?networkpolicy(?:\.projectcalico\.org)? (?=\S)/g, 'policy ')

/** The telling part of an entry: of a rule its chain and its target, without comments; of a sentence its start, which names the object. */
export function shortEntry(entry: string, room: number, pen: Pen): string {
  const columns = Math.max(room, 16)
  // as it will be written: an arrow takes two columns of ASCII
  const written = pen.text(entry).text
  if (displayWidth(written) <= columns) return written
  const short = terse(written)
  if (displayWidth(short) <= columns || /^([^:]{0,60}: )?-A /.test(short)) return shortenMiddle(short, columns, pen.ellipsis)
  return `${takeColumns(short, columns - displayWidth(pen.ellipsis)).trimEnd()}${pen.ellipsis}`
}

/** Does a line of `room` columns hold all that tells? */
export const entryFits = (entry: string, room: number): boolean => displayWidth(terse(entry)) <= room
