/** A running cluster as a snapshot that holds as much as questions need: it grows as they are asked. */
import { headerOf } from '../snapshot/collect/collect.ts'
import { loadSnapshot, type Parsed } from '../snapshot/load.ts'
import type { Snapshot, Span } from '../snapshot/types.ts'
import { memoryFiles } from '../system/files-memory.ts'
import { lackedBy } from '../trace/lacked.ts'
import type { Flow } from '../trace/types.ts'
import type { Piece, Reading, Wanted } from './piece.ts'
import { wantedFor } from './wanted.ts'

export interface Growing {
  /** with what was read so far; at first, objects only */
  snapshot(): Snapshot
  readonly objects: Piece
  /** of each node that was asked for: what it gave, or why nothing */
  readonly nodes: ReadonlyMap<string, Piece | string>
  /** Reads the nodes of hosts (`node/n2`, `pod/shop/web-1`); what is no host of the cluster is left out. */
  read(ids: Iterable<string>): Promise<void>
  /**
   * Walks the flows, reads the nodes that the walks lack, and walks again, until they lack nothing that could be read: the answers are then those
   * of the whole cluster. `suppose`: in the world that this makes of ours.
   */
  cover(flows: readonly Flow[], suppose?: (snapshot: Snapshot) => Snapshot): Promise<Snapshot>
}

/** Begins with the cluster's objects. `name`: of the context; `now`: milliseconds since the epoch. Rejects as `reading.objects`. */
export async function openGrowing(name: string, version: string, reading: Reading, now: () => number): Promise<Growing> {
  const objects = await reading.objects()
  const nodes = new Map<string, Piece | string>()
  const parsed: Parsed = { hosts: new Map() }
  let current: Snapshot | undefined

  const snapshot = (): Snapshot => (current ??= asked(load()))
  /** asked now */
  const asked = (loaded: Snapshot): Snapshot => {
    const read = [...nodes].flatMap(([node, piece]): readonly (readonly [string, Span])[] => {
      if (typeof piece === 'string') return []
      const span = { from: piece.takenAt, to: piece.endedAt }
      return [`node/${node}`, ...piece.pods.map((pod) => `pod/${pod}`)].map((id) => [id, span])
    })
    const at = now()
    return { ...loaded, moments: { read: new Map(read), asked: { from: at, to: at } } }
  }
  const load = (): Snapshot => {
    const pieces = [objects, ...nodes.values()].filter((piece) => typeof piece !== 'string')
    const files = new Map(pieces.flatMap((piece) => [...piece.files]))
    const takenAt = new Date(Math.min(...pieces.map((p) => p.takenAt))).toISOString()
    const missing = [...new Set([...pieces.flatMap((p) => p.missing), ...[...nodes.values()].filter((p) => typeof p === 'string')])]
    files.set('snapshot.json', Buffer.from(headerOf({ takenAt, source: `read live, context ${name}`, version, missing })))
    const unread = new Map([...nodes].flatMap(([node, p]) => (typeof p === 'string' ? [[`node/${node}`, p] as const] : [])))
    return { ...loadSnapshot(memoryFiles(name, files), parsed), ...(unread.size > 0 && { unread }) }
  }
  const take = async (wanted: readonly Wanted[]): Promise<void> => {
    for (const [node, piece] of await reading.nodes(wanted)) {
      for (const dir of [...foldersOf(nodes.get(node)), ...foldersOf(piece)]) parsed.hosts.delete(dir)
      nodes.set(node, piece)
    }
    current = undefined
  }
  const wanted = (ids: Iterable<string>, flows: readonly Flow[]): readonly Wanted[] => {
    const known = new Map([...nodes].map(([node, piece]) => [node, typeof piece === 'string' ? ('unread' as const) : piece]))
    return wantedFor(snapshot().cluster, ids, flows, known)
  }
  return {
    snapshot,
    objects,
    nodes,
    async read(ids) {
      const known = new Set(snapshot().cluster.nodes.map(({ name: node }) => `node/${node}`))
      const some = wanted(
        [...ids].filter((id) => !id.startsWith('node/') || known.has(id)),
        [],
      )
      if (some.length > 0) await take(some)
    },
    async cover(flows, suppose = (s) => s) {
      current &&= asked(current)
      for (let open = flows; ; ) {
        const world = suppose(snapshot())
        const lacking = open.map((flow) => ({ flow, lacks: lackedBy(world, flow) })).filter(({ lacks }) => lacks.size > 0)
        open = lacking.map(({ flow }) => flow)
        const some = wanted(
          lacking.flatMap(({ lacks }) => [...lacks]),
          open,
        )
        if (some.length === 0) return snapshot()
        await take(some)
      }
    },
  }
}

const foldersOf = (piece: Piece | string | undefined): readonly string[] =>
  piece === undefined || typeof piece === 'string' ? [] : [...piece.files.keys()].map((name) => name.slice(0, name.lastIndexOf('/')))
