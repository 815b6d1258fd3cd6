/** A reading that asks the cache first. */
import type { Cache } from '../system/cache.ts'
import type { Piece, Reading, Wanted } from './piece.ts'

/**
 * What was read no longer ago than `maxAgeMs` is not read again; of a node, if it has the pods that are wanted. What is read is kept, but for that
 * of which the reading broke off. `now`: milliseconds since the epoch;
 * `ways`: by which ways nodes are read, one word, since one sees more than another.
 */
export function keptReading(
  reading: Reading,
  cache: Cache,
  { maxAgeMs, now, ways }: { readonly maxAgeMs: number; readonly now: () => number; readonly ways: string },
): Reading {
  const kept = (name: string): Piece | undefined => {
    const entry = cache.read(name)
    const piece = entry && pieceOf(entry.about, entry.files)
    const age = piece ? now() - piece.takenAt : undefined
    return age !== undefined && age >= 0 && age <= maxAgeMs ? piece : undefined
  }
  const keep = (name: string, { files, ...about }: Piece): void => cache.write(name, { about, files })
  return {
    async objects() {
      const found = kept('objects')
      if (found) return found
      const read = await reading.objects()
      if (read.whole) keep('objects', read)
      return read
    },
    async nodes(wanted) {
      const all = new Map<string, Piece | string>()
      const rest: Wanted[] = []
      for (const want of wanted) {
        const found = kept(`nodes-${ways}/${want.node}`)
        const pods = new Set(found?.pods)
        if (found && want.pods.every((pod) => pods.has(pod))) all.set(want.node, found)
        // those that earlier questions wanted come along, or two questions in turn would never find theirs
        else rest.push({ node: want.node, pods: [...new Set([...want.pods, ...pods])].sort() })
      }
      if (rest.length === 0) return all
      for (const [node, piece] of await reading.nodes(rest)) {
        if (typeof piece !== 'string' && piece.whole) keep(`nodes-${ways}/${node}`, piece)
        all.set(node, piece)
      }
      return all
    },
  }
}

function pieceOf(about: unknown, files: ReadonlyMap<string, Buffer>): Piece | undefined {
  if (typeof about !== 'object' || about === null) return undefined
  const { takenAt, endedAt, missing, pods, by } = about as Readonly<Record<string, unknown>>
  if (typeof takenAt !== 'number' || typeof endedAt !== 'number') return undefined
  if (!areTexts(missing) || !areTexts(pods) || !(by === undefined || typeof by === 'string')) return undefined
  return { takenAt, endedAt, files, missing, pods, whole: true, kept: true, ...(by !== undefined && { by }) }
}

const areTexts = (list: unknown): list is readonly string[] => Array.isArray(list) && list.every((one) => typeof one === 'string')
