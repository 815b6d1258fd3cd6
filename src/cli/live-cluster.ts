/** A running cluster in place of a recorded one: read as far as questions need it, through the API of a kubeconfig's context. */
import { identityOf } from '../kube/identity.ts'
import { openContext } from '../kube/kubeconfig.ts'
import { listAllowed } from '../kube/list-objects.ts'
import { openWay, type Via } from '../kube/open-way.ts'
import { openRequests } from '../kube/requests.ts'
import { clusterReading } from '../live/cluster-reading.ts'
import { type Growing, openGrowing } from '../live/growing.ts'
import { keptReading } from '../live/kept.ts'
import { type LivePart, liveLine, readingLine } from '../report/live-line.ts'
import { SNAPSHOT_RESOURCES } from '../snapshot/collect/objects.ts'
import type { Snapshot } from '../snapshot/types.ts'
import { cacheHome, openCache } from '../system/cache.ts'
import { collectorText } from '../system/node-scripts.ts'
import type { Way } from '../system/way.ts'
import type { Flow } from '../trace/types.ts'
import type { Around } from './around.ts'
import { consentBy, PODS_QUESTION } from './consent.ts'
import { POD_IMAGE } from './flags.ts'

export interface LiveFlags {
  readonly context?: string | undefined
  readonly kubeconfig?: string | undefined
  readonly timeout?: number | undefined
  /** milliseconds */
  readonly 'max-age': number
  /** how nodes are read: not at all, if not said */
  readonly via?: Via | 'none' | undefined
  readonly 'pod-namespace'?: string | undefined
  readonly 'pod-image'?: string | undefined
  readonly yes?: boolean | undefined
  /** nothing is told of what is read */
  readonly quiet?: boolean | undefined
  /** probes are to be sent from nodes, which exec into an agent can't do */
  readonly probing?: boolean | undefined
  /** how long nodes are needed, once they are read; milliseconds */
  readonly staysMs?: number | undefined
}

export interface LiveCluster extends Growing {
  /** the context's */
  readonly namespace: string | undefined
  /** flags that name this cluster, and the ways to its nodes, again */
  readonly flags: readonly string[]
  /** the command that keeps what was read, as words */
  keep(): readonly string[]
  /** what was read and when, and what could not be, to be told on stderr */
  notes(): readonly string[]
  /** The same nodes, read for these flows once more, now. */
  fresh(flows: readonly Flow[]): Promise<Snapshot>
  /** how nodes are reached; opened when first asked for */
  way(): Promise<Way | { readonly missing: string }>
  /** Takes away what was made on the way to nodes, and says what is left of it. */
  close(): Promise<readonly string[]>
}

/** A node has so long, if nothing is said. */
const PATIENCE_MS = 60_000
/** Nothing is kept for longer than this, whatever its age may be. */
const KEEP_MS = 5 * 60_000

/** Reads the objects of the cluster, or has them from the cache. Throws NetctlError KUB001 to KUB007. */
export async function openLiveCluster(flags: LiveFlags, around: Around): Promise<LiveCluster> {
  const { root, version } = around
  const open = await openContext(flags.kubeconfig, flags.context)
  const now = () => Date.now()
  const patienceMs = Math.min(flags.timeout ?? PATIENCE_MS, PATIENCE_MS)
  let opened: Promise<Way | { readonly missing: string }> | undefined
  const way = () => (opened ??= wayTo())
  const reading = clusterReading({
    list: async () => listAllowed(await openRequests(open), SNAPSHOT_RESOURCES),
    way,
    script: collectorText(root),
    patienceMs,
    now,
    // progress is for who waits
    begun: (nodes, by) => around.terminal.canPrompt && !flags.quiet && around.tell(readingLine(open.name, nodes, by)),
  })
  const maxAgeMs = flags['max-age']
  const cache = openCache(cacheHome(), `live-${version}/${identityOf(open)}`, Math.max(KEEP_MS, maxAgeMs))
  const named = ['--context', open.name, ...(flags.kubeconfig === undefined ? [] : ['--kubeconfig', flags.kubeconfig])]
  const ways = `${flags.via}${flags.yes ? '-yes' : ''}`
  const grow = (ageMs: number) => openGrowing(open.name, version, keptReading(reading, cache, { maxAgeMs: ageMs, now, ways }), now)
  const growing = await grow(maxAgeMs)

  /** By exec where it can be had, since a question changes nothing unasked; by pods where it was agreed to, or exec can't be had and they are agreed to now. */
  async function wayTo(): Promise<Way | { readonly missing: string }> {
    const { via = 'none', yes = false, 'pod-image': podImage = '' } = flags
    if (via === 'none') return { missing: '--via none leaves nodes out' }
    const options = {
      podNamespace: flags['pod-namespace'],
      podImage,
      patienceMs,
      lifetimeMs: 2 * patienceMs + (flags.staysMs ?? 0),
      consent: consentBy({ yes, canPrompt: around.terminal.canPrompt, tell: around.tell, question: PODS_QUESTION }),
      tell: around.tell,
    }
    if (via === 'auto' && !yes && !flags.probing) {
      const byExec = await openWay(open, { ...options, via: 'exec' })
      if (!('missing' in byExec)) return byExec
    }
    return openWay(open, { ...options, via: via === 'auto' && yes ? 'pod' : via })
  }

  return {
    ...growing,
    namespace: open.namespace,
    flags: [...named, ...waysAgain(flags)],
    keep: () => ['netctl', 'collect', ...named, '--nodes', ...growing.nodes.keys(), ...waysAgain(flags), '-O', 'cluster.tar.gz'],
    notes() {
      const { objects, nodes } = growing
      const parts: readonly LivePart[] = [
        { takenAt: objects.takenAt, kept: objects.kept === true },
        ...[...nodes].flatMap(([node, piece]): readonly LivePart[] =>
          typeof piece === 'string'
            ? []
            : [{ node, takenAt: piece.takenAt, kept: piece.kept === true, ...(piece.by !== undefined && { by: piece.by }) }],
        ),
      ]
      const unread = [...nodes.values()].filter((piece) => typeof piece === 'string')
      const read = [...nodes.values()].filter((piece) => typeof piece !== 'string')
      const lost = [...new Set(read.filter(({ by }) => by === 'exec').flatMap(({ missing }) => missing))]
      const more = lost.length > 1 ? `, and ${lost.length - 1} more` : ''
      const byExec = lost[0] === undefined ? [] : [`by exec: ${lost[0]}${more}`]
      const lacking = [...some(objects.missing), ...some(unread), ...byExec]
      return [liveLine({ context: open.name, parts, now: now() }), ...lacking.map((what) => `! ${what}`)]
    },
    fresh: async (flows) => (await grow(0)).cover(flows),
    way,
    async close() {
      const made = await opened
      return made === undefined || 'missing' in made ? [] : made.close()
    },
  }
}

const TOLD = 5
const some = (all: readonly string[]): readonly string[] =>
  all.length > TOLD ? [...all.slice(0, TOLD), `… and ${all.length - TOLD} more like these`] : all

/** How nodes were reached, where that was said. */
const waysAgain = ({ via = 'auto', yes, ...flags }: LiveFlags): readonly string[] => [
  ...(via === 'auto' ? [] : ['--via', via]),
  ...(yes ? ['--yes'] : []),
  ...(['pod-namespace', 'pod-image'] as const).flatMap((name) => {
    const value = flags[name]
    return value === undefined || value === POD_IMAGE ? [] : [`--${name}`, value]
  }),
]
