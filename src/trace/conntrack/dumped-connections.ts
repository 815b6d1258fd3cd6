/** Connections of a flow that exist: the entries that conntrack listed for its client, destination, protocol and port. */
import type { ConntrackDump, ConntrackEntry } from '../../kernel/conntrack/types.ts'
import { type Ip, parseIp, sameIp } from '../../net/ip.ts'
import { protocolNumber } from '../../net/packet.ts'
import { nodePortAt, serviceAt, serviceObject } from '../attribution/service-at.ts'
import type { Flow } from '../types.ts'
import { lackNodes, type Place, type World } from '../world.ts'
import { entryOf } from './entry.ts'
import { invert } from './tuple.ts'

/** An entry on the host where the client's packets are first tracked. */
export interface Connection {
  readonly place: Place
  readonly entry: ConntrackEntry
}

/** What the dumps have of a flow's connections. */
export type Search =
  | { readonly kind: 'found'; readonly connections: readonly Connection[] }
  /** `files` were looked through; `others` have another source port than the flow asks for */
  | { readonly kind: 'none'; readonly files: readonly string[]; readonly others: readonly ConntrackEntry[] }
  | { readonly kind: 'missing'; readonly place: Place; readonly reason: string }

/**
 * All entries of this flow, in the order of the dump. Those whose connection is over (TIME_WAIT, CLOSE) count only where there are no
 * others, or where the flow names the port.
 */
export function findConnections(world: World, flow: Flow, dst: Ip): Search {
  lackFirstPlaces(world, flow, dst)
  const places = firstPlaces(world, flow)
  const dumps = places.flatMap((place) => (place.host.conntrack?.covers(dst.family) ? [{ place, dump: place.host.conntrack }] : []))
  const all = dumps.flatMap(({ place, dump }) => ofClient(world, flow, place, dump, dst).map((entry): Connection => ({ place, entry })))
  const own = flow.sourcePort === undefined ? all : all.filter(({ entry }) => entry.original.sport?.lo === flow.sourcePort)
  const living = own.filter(({ entry }) => !isOver(entry))
  if (own.length > 0) return { kind: 'found', connections: living.length > 0 ? living : own }
  const blind = places.find((p) => p.host.kind === 'node' && !dumps.some((d) => d.place === p))
  if (blind)
    return { kind: 'missing', place: blind, reason: `${missingFile(blind, dst)}: which connections ${blind.label} has is not known` }
  return { kind: 'none', files: dumps.map((d) => d.dump.file), others: all.map((c) => c.entry) }
}

const missingFile = ({ host }: Place, { family }: Ip): string =>
  host.conntrack
    ? `${host.dir}/conntrack.txt has no IPv${family} entries (conntrack -L -f ipv${family})`
    : `${host.dir}/conntrack.txt is missing`

/** Entries of the client's connections to the flow's destination and port. */
export function ofClient(world: World, flow: Flow, place: Place, dump: ConntrackDump, dst: Ip): readonly ConntrackEntry[] {
  const proto = protocolNumber(flow.proto === 'icmp' && dst.family === 6 ? 'icmpv6' : flow.proto)
  return dump.to(dst, sourcesOf(world, flow, place)).filter(({ protoNumber, original }) => {
    if (protoNumber !== proto) return false
    return original.icmp ? original.icmp.type === (dst.family === 4 ? 8 : 128) : original.dport?.lo === flow.port
  })
}

/** Is it an address of a node or another host, dumped or not? Those of pods are none. */
export const isHost = (world: World, ip: Ip): boolean => world.owners(ip).length > 0 || world.undumpedNodes.has(ip.text)

/** The Service port that a connection was made to. */
export function serviceOf(world: World, { original, proto }: Pick<ConntrackEntry, 'original' | 'proto'>): string | undefined {
  const { cluster } = world.snapshot
  const { dst, dport } = original
  const own = serviceAt(cluster, dst.text, proto, dport?.lo)
  // a host's own address may be another Service's external one
  const at = own?.port || !isHost(world, dst) ? own : nodePortAt(cluster, proto, dport?.lo)
  return at?.port && serviceObject(at.service, at.port)
}

/** Is the connection over, so that the client's next packet begins another one? */
export const isOver = ({ state }: ConntrackEntry): boolean => state === 'TIME_WAIT' || state === 'CLOSE'

/** Has one side said that it is done? */
export const isClosing = ({ state }: ConntrackEntry): boolean => state === 'FIN_WAIT' || state === 'CLOSE_WAIT' || state === 'LAST_ACK'

/** Hosts that may be the first to track a packet of the client: its own namespace, its node; of an outside client the nodes. */
export function firstPlaces(world: World, flow: Flow): readonly Place[] {
  const { kind, name } = flow.from
  const nodes = [...world.places.values()].filter((p) => p.host.kind === 'node')
  if (kind === 'node') return nodes.filter((p) => p.host.name === name)
  if (kind === 'external') {
    const own = world.places.get(`external/${name ?? ''}`)
    const entered = flow.entryNode === undefined ? nodes : nodes.filter((p) => p.host.name === flow.entryNode)
    return own?.host.conntrack ? [own, ...entered] : entered
  }
  const pod = world.snapshot.cluster.pods.find((p) => `${p.namespace}/${p.name}` === name)
  const own = world.places.get(`pod/${name}`)
  return [...(own?.host.conntrack && !pod?.hostNetwork ? [own] : []), ...nodes.filter((p) => p.host.name === pod?.node)]
}

/** Notes those of them that have no dump; an outside client whose destination is a node's own address comes in there. */
export function lackFirstPlaces(world: World, { from, entryNode }: Flow, dst: Ip): void {
  const { lacks, places } = world
  const ask = (id: string) => void (places.has(id) || lacks.add(id))
  const pod = from.kind === 'pod' ? world.snapshot.cluster.pods.find((p) => `${p.namespace}/${p.name}` === from.name) : undefined
  const entered = entryNode === undefined ? world.undumpedNodes.get(dst.text) : `node/${entryNode}`
  if (from.kind === 'node') ask(`node/${from.name}`)
  else if (pod?.node !== undefined) {
    ask(`node/${pod.node}`)
    if (!pod.hostNetwork) ask(`pod/${from.name}`)
  } else if (entered !== undefined) ask(entered)
  else if (from.kind === 'external' && world.owners(dst).length === 0) lackNodes(world)
}

/** Addresses that the client may send from. */
function sourcesOf(world: World, { from, source }: Flow, first: Place): ReadonlySet<string> {
  if (source !== undefined) return new Set([parseIp(source)?.text ?? source])
  const said = [from.ip, from.ip6].flatMap((a) => (a === undefined ? [] : (parseIp(a) ?? [])))
  const pod = from.kind === 'pod' ? world.snapshot.cluster.pods.find((p) => `${p.namespace}/${p.name}` === from.name) : undefined
  const place = pod?.hostNetwork ? first : world.places.get(`${from.kind}/${from.name ?? ''}`)
  return new Set([...said, ...(pod?.ips ?? [])].map((ip) => ip.text).concat([...(place?.addresses.keys() ?? [])]))
}

/** Connections that every host treats alike: one of them stands for all. */
export interface Alike extends Connection {
  readonly count: number
}

/** Groups connections by what becomes of their packets: their translations, their state here, and whether the other nodes know them. */
export function alike(world: World, connections: readonly Connection[]): readonly Alike[] {
  const groups = new Map<string, { first: Connection; count: number }>()
  for (const connection of connections) {
    const key = fateOf(world, connection)
    const group = groups.get(key)
    if (group) group.count++
    else groups.set(key, { first: connection, count: 1 })
  }
  return [...groups.values()].map(({ first, count }) => ({ ...first, count }))
}

function fateOf(world: World, { place, entry }: Connection): string {
  const { protoNumber } = entry
  const onward = invert(entryOf(entry).reply, protoNumber)
  const known = [...world.places.values()].flatMap((other) => {
    const found = other === place ? undefined : other.host.conntrack?.find(onward, protoNumber)
    return found ? [[other.id, found.state, found.mark, ...found.flags].join(' ')] : []
  })
  const { original, state, flags, mark } = entry
  // which port stands for the client's own does not matter, but whether it is another one does
  const port = original.icmp ? '' : original.sport?.lo === entry.reply.dport?.lo
  const to = original.icmp ? '' : entry.reply.sport?.lo
  return [place.id, original.src.text, entry.reply.src.text, to, entry.reply.dst.text, port, state, mark, ...flags, ...known].join('|')
}

/** `ESTABLISHED to 10.244.2.3:8080 as 172.18.0.11`: its state and what it is translated to. */
export function wording({ state, flags, original, reply }: ConntrackEntry): string {
  const marks = flags.filter((f) => f !== 'ASSURED').map((f) => `[${f}]`)
  const port = reply.sport ? `:${reply.sport.lo}` : ''
  const moved = !sameIp(reply.src, original.dst) || reply.sport?.lo !== original.dport?.lo
  const masked = !sameIp(reply.dst, original.src)
  return [
    state ?? (flags.includes('UNREPLIED') ? '' : 'answered'),
    ...marks,
    moved ? `goes on to ${reply.src.family === 6 && port ? `[${reply.src.text}]` : reply.src.text}${port}` : '',
    masked ? `as ${reply.dst.text}` : '',
  ]
    .filter((w) => w !== '')
    .join(' ')
}
