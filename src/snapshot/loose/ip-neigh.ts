/** `ip neigh` for people: as `ip -j neigh` prints it (iproute2, ip/ipneigh.c print_neigh). */
import { entries } from './not-understood.ts'
import { LineWords } from './words.ts'

const STATES = new Set(['PERMANENT', 'REACHABLE', 'STALE', 'DELAY', 'PROBE', 'FAILED', 'INCOMPLETE', 'NOARP', 'NONE'])

/** Does a file begin as `ip neigh` prints an entry? */
export const looksLikeNeighbours = (text: string): boolean =>
  /^[0-9a-f.:]+ dev \S+ (?:lladdr \S+ )?(?:\S+ )*(?:PERMANENT|REACHABLE|STALE|DELAY|PROBE|FAILED|INCOMPLETE|NOARP|NONE|proxy)\s*(?:\n|$)/.test(
    text,
  )

/** The same as JSON. Throws NotUnderstood, with the line, on words that ip neigh does not print. */
export function neighboursOf(text: string): string {
  return entries(
    text.split('\n').flatMap((line, i) => {
      if (line.trim() === '') return []
      const words = new LineWords(line, i + 1)
      const entry: Record<string, unknown> = { dst: words.next() }
      const state: string[] = []
      for (let word = words.peek(); word !== undefined; word = words.peek()) {
        words.next()
        if (STATES.has(word)) state.push(word)
        else if (word === 'dev' || word === 'lladdr') entry[word] = words.next()
        else if (word === 'proxy' || word === 'router' || word === 'extern_learn' || word === 'managed' || word === 'offload')
          entry[word] = null
        else if (word === 'used' || word === 'ref' || word === 'probes' || word === 'proto') words.next()
        else words.fail(`what ip neigh prints, not ${word}`)
      }
      return [{ ...entry, state }]
    }),
  )
}
