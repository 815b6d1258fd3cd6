/** One predicted path held against everything that was seen: leg by leg, until the first that went otherwise. */
import { isIcmpError } from '../net/packet.ts'
import type { Snapshot } from '../snapshot/types.ts'
import type { Leg } from '../trace/legs.ts'
import type { Flow, Hop, Path } from '../trace/types.ts'
import { checkConnection } from './check-connection.ts'
import { checkLeg } from './check-leg.ts'
import { spaceOf } from './plan.ts'
import { type OwnPorts, sightings } from './sightings.ts'
import type { NodeSeen, SeenPacket, Space, WatchOrder } from './types.ts'
import type { CheckedStep, Difference } from './verification.ts'

/** What one node saw of its order, or why it saw nothing. */
export type Watched = { readonly order: WatchOrder; readonly seen: NodeSeen } | { readonly missing: string }

/** What all nodes saw, and the snapshot that the prediction was made from. */
export interface Observation {
  readonly snapshot: Snapshot
  readonly nodes: ReadonlyMap<string, Watched>
}

/** One predicted path held against what was seen. */
export interface PathCheck {
  readonly steps: { readonly request: readonly CheckedStep[]; readonly reply: readonly CheckedStep[] }
  readonly difference?: Difference
  /** legs that somebody watched for, and did not see */
  readonly lost: readonly Leg[]
  /** legs that nobody watched for, or not all the time */
  readonly unwatched: readonly Leg[]
  /** legs that were seen, in order */
  readonly met: readonly Leg[]
  /** steps that were seen to be as predicted, up to the first that was not */
  readonly agreed: number
  /** what nobody could look at, and why */
  readonly blind: ReadonlySet<string>
}

/** `port`: that the client sends from. `answered`: its socket got what was predicted. */
export function checkPath(observation: Observation, flow: Flow, path: Path, port: number | undefined, answered: boolean): PathCheck {
  const { snapshot } = observation
  const own: OwnPorts = new Set(port === undefined ? [] : [port])
  const marks = { request: new Map<number, CheckedStep>(), reply: new Map<number, CheckedStep>() }
  const blind = new Set<string>()
  const lost: Leg[] = []
  const unwatched: Leg[] = []
  const met: Leg[] = []
  let difference: Difference | undefined
  for (const leg of path.legs ?? []) {
    const hops = hopsOf(path, leg.way)
    const watcher = watcherOf(observation, leg)
    // a pod without rules has nothing to be seen by
    if (!watcher) continue
    if ('why' in watcher) {
      blind.add(watcher.why)
      if (watcher.counts) unwatched.push(leg)
      continue
    }
    const { node, seen, order, space } = watcher
    for (const what of seen.missing) blind.add(`${node}: ${what.replace(/^node: /, '')}`)
    const known = checkConnection(leg, space, seen, own)
    const packet: SeenPacket | undefined = sightings(leg, space, seen, order.tuples, flow.sourcePort, own)[0]
    if (!packet) {
      difference = known && at(leg, hops, known)
      if (difference) break
      if (seen.lost) blind.add(`${node}: there was more to see than could be told`)
      const list = seen.lost ? unwatched : lost
      list.push(leg)
      continue
    }
    met.push(leg)
    learn(own, leg, packet)
    const check = checkLeg(snapshot, leg, hops, packet, !seen.lost)
    if (check.unclear)
      blind.add(
        `${node}: of some rules only chain and verdict are known: they were made anew while packets were watched, or there were too many`,
      )
    for (const [hop, step] of check.steps) marks[leg.way].set(hop, step)
    difference = check.difference ?? (known && at(leg, hops, known))
    if (difference) break
    // that it went no further is known by the rule that ended it, else by nothing more being told
    if (seen.lost && !leg.end && check.steps.get(Math.min(leg.to, hops.length) - 1)?.status !== 'observed') {
      blind.add(`${node}: there was more to see than could be told`)
      unwatched.push(leg)
    }
  }
  const steps = {
    request: fill(path, 'request', marks.request, met, difference, answered),
    reply: fill(path, 'reply', marks.reply, met, difference, answered),
  }
  const agreed = [...steps.request, ...steps.reply].filter((s) => s.status === 'observed').length
  return { steps, ...(difference && { difference }), lost, unwatched, met, agreed, blind }
}

/** The hops of a path, there or back. */
export const hopsOf = (path: Path, way: Leg['way']): readonly Hop[] => (way === 'request' ? path.hops : (path.reply?.hops ?? []))

type Watcher = { readonly node: string; readonly seen: NodeSeen; readonly order: WatchOrder; readonly space: Space }

/** Who watched for a leg, or why nobody did; `counts`: somebody was to. */
function watcherOf(
  { snapshot, nodes }: Observation,
  { host, packet }: Leg,
): Watcher | { readonly why: string; readonly counts: boolean } | undefined {
  const where = spaceOf(snapshot, host)
  if (!where) {
    if (snapshot.hosts.get(host)?.kind === 'pod') return undefined
    return { why: `${host.replace(/^node\//, '')} is not watched`, counts: host.startsWith('node/') }
  }
  if (packet.tunnel?.kind === 'wireguard') return { why: 'which packet of WireGuard is the one is not seen from outside', counts: false }
  const watched = nodes.get(where.node)
  if (!watched) return { why: `${where.node} is not watched`, counts: true }
  if ('missing' in watched) return { why: `${where.node}: ${watched.missing}`, counts: true }
  return { ...watched, node: where.node, space: where.space }
}

/** Ports that nodes put in the place of the client's. */
function learn(own: OwnPorts, { way, packet }: Leg, { headers, end }: SeenPacket): void {
  if (packet.tunnel || isIcmpError(packet)) return
  for (const h of [headers, end?.headers]) {
    const port = h && (h.icmp ? h.icmp.id : way === 'request' ? h.sport : h.dport)
    if (port !== undefined) own.add(port)
  }
}

/** A connection that was made otherwise than predicted: at the hop that was to translate. */
function at(
  leg: Leg,
  hops: readonly Hop[],
  { predicted, observed }: { readonly predicted: string; readonly observed: string },
): Difference {
  const inLeg = hops.slice(leg.from, leg.to)
  const i = inLeg.findLastIndex((h) => h.packet !== undefined)
  const hop = i < 0 ? undefined : leg.from + i
  const evidence = hop === undefined ? undefined : hops[hop]?.evidence
  const node = inLeg[0]?.node ?? leg.host
  return { node, way: leg.way, predicted, observed, ...(hop !== undefined && { hop }), ...(evidence && { evidence }) }
}

/**
 * A status for each hop. What is no rule shows by what comes after it: a route and a device by the packet that is seen on the next host, the last
 * steps by the answer.
 */
function fill(
  path: Path,
  way: Leg['way'],
  marks: ReadonlyMap<number, CheckedStep>,
  met: readonly Leg[],
  difference: Difference | undefined,
  answered: boolean,
): readonly CheckedStep[] {
  const legs = (path.legs ?? []).filter((l) => l.way === way)
  const lastMet = legs.findLast((l) => met.includes(l))
  const hit = Math.max(-1, ...[...marks].flatMap(([i, { status }]) => (status === 'observed' ? [i] : [])))
  const reached = Math.max(hit, lastMet ? (lastMet.end && !difference ? lastMet.to : lastMet.from) : 0)
  const replied = answered || (way === 'request' && met.some((l) => l.way === 'reply'))
  const until = difference && difference.way === way ? (difference.hop ?? -1) : Number.POSITIVE_INFINITY
  const over = difference !== undefined && difference.way === 'request' && way === 'reply'
  return hopsOf(path, way).map((hop, i): CheckedStep => {
    const marked = marks.get(i)
    if (marked) return marked
    const rule = hop.table !== undefined
    if (rule || over || i >= until || hop.weight === 'tried') return { status: 'unseen' }
    return { status: i < reached || (replied && !difference) ? 'observed' : 'unseen' }
  })
}
