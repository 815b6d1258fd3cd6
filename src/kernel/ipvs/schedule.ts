/** Which real server a new connection gets: the schedulers of net/netfilter/ipvs, as shares of an unknown moment or as a certain pick. */
import type { Ip } from '../../net/ip.ts'
import type { PortRange } from '../../net/packet.ts'
import { hashBucket, hashFallback, hashTable } from './hash-table.ts'
import { maglevBucket, maglevFallback, maglevTable } from './maglev.ts'
import type { Endpoint, RealServer, VirtualServer } from './types.ts'

/** What schedulers look at: the packet as the IPVS hook sees it. */
export interface Question {
  readonly src: Ip
  readonly dst: Ip
  readonly sport: PortRange | undefined
}

/** A server with its part of all new connections; no server: they are refused. */
export interface Share {
  readonly server: RealServer | undefined
  readonly share: number
}

export type Schedule =
  /** one share of 1 where the pick is certain; `assumed`: what was taken for granted */
  | { readonly kind: 'shares'; readonly shares: readonly Share[]; readonly assumed: readonly string[] }
  | { readonly kind: 'unknown'; readonly why: string }

/** The schedule of one new connection, persistence aside. */
export function schedule(service: VirtualServer, question: Question): Schedule {
  const { scheduler, servers } = service
  const doubtful = servers.some((s) => overloaded(s) === undefined)
  const assumed = doubtful ? ['real servers with a connection threshold are taken to be below it'] : []
  const free = servers.filter(mayTake)
  const byWeight = (because?: string): Schedule =>
    shares(
      free.map((server) => [server, server.weight]),
      because === undefined || free.length < 2 ? assumed : [...assumed, because],
    )
  switch (scheduler) {
    case 'rr':
      return shares(
        free.map((server) => [server, 1]),
        assumed,
      )
    case 'wrr':
    case 'twos':
      return byWeight()
    case 'lc':
      return shares(
        free.map((server) => [server, 1]),
        free.length < 2 ? assumed : [...assumed, byLoad],
      )
    case 'wlc':
    case 'sed':
    case 'nq':
      return byWeight(byLoad)
    case 'lblc':
    case 'lblcr':
      return byWeight(`IPVS ${scheduler} stays with the server that it last used for an address, which no dump shows: shares are by weight`)
    case 'fo':
      return first(service, free, assumed)
    case 'ovf': {
      // an unknown number of connections counts as none
      const room = free.filter((s) => (s.connections?.active ?? 0) <= s.weight)
      const unseen = room.length > 1 && room.some((s) => !s.connections)
      return first(service, room, unseen ? [...assumed, 'IPVS ovf servers without recorded connections are taken to be idle'] : assumed)
    }
    case 'dh':
      return hashed(service, assumed, { ip: question.dst, port: 0 }, destinationHash(servers))
    case 'sh':
      return hashed(service, assumed, clientOf(service, 'sh-port', question), {
        table: () => hashTable(servers.map((s) => s.weight)),
        bucket: hashBucket,
        fallback: service.flags.includes('sh-fallback') ? hashFallback : undefined,
        part: (s) => Math.max(s.weight, 1),
      })
    case 'mh': {
      // “keep the last_weight with latest non-0 weight” (__ip_vs_update_dest)
      const draining = servers.some((s) => s.weight === 0)
      const notes = draining ? [...assumed, 'an IPVS mh server of weight 0 is taken to have had weight 1 before'] : assumed
      return hashed(service, notes, clientOf(service, 'mh-port', question), {
        table: () => mhTable(service),
        bucket: maglevBucket,
        fallback: service.flags.includes('mh-fallback') ? maglevFallback : undefined,
        part: (s) => s.weight || 1,
      })
    }
    default:
      return { kind: 'unknown', why: `IPVS scheduler ${scheduler} is not modelled` }
  }
}

const destinationHash = (servers: readonly RealServer[]): Hashing => ({
  table: () => hashTable(servers.map(() => 1)),
  bucket: hashBucket,
  fallback: undefined,
  part: () => 1,
})

const byLoad = 'IPVS schedulers that look at load are taken to share connections by weight'

/** May it get new connections? Weight 0 is draining. */
export const mayTake = (server: RealServer): boolean => server.weight > 0 && overloaded(server) !== true

/**
 * IP_VS_DEST_F_OVERLOAD: set at the upper threshold, cleared below the lower one, which is three quarters of the upper by default
 * (__ip_vs_dest_update_overload). Undefined between the two, or if the connections are not recorded.
 */
function overloaded({ upper, lower, connections }: RealServer): boolean | undefined {
  if (upper === 0) return false
  if (!connections) return undefined
  const total = connections.active + connections.inactive
  if (total >= upper) return true
  return total < (lower || upper - (upper >> 2)) ? false : undefined
}

function shares(weighed: readonly (readonly [RealServer, number])[], assumed: readonly string[]): Schedule {
  const sum = weighed.reduce((n, [, weight]) => n + weight, 0)
  if (sum === 0) return { kind: 'shares', shares: [{ server: undefined, share: 1 }], assumed }
  return { kind: 'shares', shares: weighed.filter(([, w]) => w > 0).map(([server, weight]) => ({ server, share: weight / sum })), assumed }
}

const unordered = 'the order of IPVS real servers is not recorded (/proc/net/ip_vs): any of them may be the one that a hash picks'

/** The first of those with the highest weight (ip_vs_fo.c, ip_vs_ovf.c). */
function first(service: VirtualServer, among: readonly RealServer[], assumed: readonly string[]): Schedule {
  const most = Math.max(0, ...among.map((s) => s.weight))
  const best = among.filter((s) => s.weight === most)
  if (service.ordered || best.length < 2)
    return shares(
      best.slice(0, 1).map((s) => [s, 1]),
      assumed,
    )
  return shares(
    best.map((s) => [s, 1]),
    [...assumed, unordered],
  )
}

const tables = new WeakMap<VirtualServer, readonly number[]>()

function mhTable(service: VirtualServer): readonly number[] {
  let table = tables.get(service)
  if (!table)
    tables.set(service, (table = maglevTable(service.servers.map((s) => ({ ip: s.ip, port: s.port, weight: s.weight || 1 }))) ?? []))
  return table
}

/** The address, and with the flag the port, that is hashed; undefined if the port is not known. */
function clientOf({ flags }: VirtualServer, portFlag: string, { src, sport }: Question): Endpoint | undefined {
  if (!flags.includes(portFlag)) return { ip: src, port: 0 }
  return sport && sport.lo !== sport.hi ? undefined : { ip: src, port: sport?.lo ?? 0 }
}

interface Hashing {
  /** index of the server for each bucket */
  readonly table: () => readonly number[]
  readonly bucket: (client: Endpoint) => number
  /** buckets to try after the first, where its server takes no connections */
  readonly fallback: ((client: Endpoint) => Iterable<number>) | undefined
  /** how many buckets a server has for one of weight 1 */
  readonly part: (server: RealServer) => number
}

/** A pick by a table of buckets. Without the order of servers or without the port, each server has its part of the buckets. */
function hashed(service: VirtualServer, assumed: readonly string[], client: Endpoint | undefined, hashing: Hashing): Schedule {
  const { servers, ordered } = service
  const { fallback, part } = hashing
  const taker = (server: RealServer | undefined) => (server && mayTake(server) ? server : undefined)
  if (!servers.some(mayTake)) return shares([], assumed)
  if (!client || (!ordered && servers.length > 1)) {
    const all = fallback ? servers.filter(mayTake) : servers
    const sum = all.reduce((n, s) => n + part(s), 0)
    const parts = all.map((s) => ({ server: taker(s), share: part(s) / sum }))
    return { kind: 'shares', shares: parts, assumed: client ? [...assumed, unordered] : assumed }
  }
  const table = hashing.table()
  const at = (index: number) => taker(servers[table[index] ?? -1])
  let server = at(hashing.bucket(client))
  if (!server && fallback) for (const index of fallback(client)) if ((server = at(index))) break
  return { kind: 'shares', shares: [{ server, share: 1 }], assumed }
}
