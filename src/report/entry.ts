import type { Pen } from './pen.ts'
import { displayWidth, shortenMiddle } from './width.ts'

/** An entry on one line; a hostile or huge one does not make the line endless, even where nothing is cut to a screen. */
export function oneLine(entry: string): string {
  const flat = entry.length > 4000 ? entry.slice(0, 4000) : entry
  const line = flat.replace(/\s+/g, ' ').trim()
  return line.length > 1000 ? `${line.slice(0, 600)}…${line.slice(-300)}` : line
}

/** A rule without its comments: what it matches and does tells more than the hash that Felix wrote beside it. */
export const bareRule = (entry: string): string => entry.replace(/ ?-m comment --comment ("(?:[^"\\]|\\.)*"|\S+)/g, '')

/** The telling part of an entry: comments go first, then the middle. */
export const shortEntry = (entry: string, room: number, pen: Pen): string =>
  displayWidth(entry) <= room ? entry : shortenMiddle(bareRule(entry), Math.max(room, 16), pen.ellipsis)
