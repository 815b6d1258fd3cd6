import { formatServiceKey } from './format-save.ts'
import { persistenceMask } from './parse-save.ts'
import type { Endpoint, IpvsListing, IpvsTable, ListedServer, ListedService, RealServer, VirtualServer } from './types.ts'

/**
 * Adds to a table what a listing of the same kernel knows besides: the order of real servers, connections, thresholds. A listing that shows
 * other servers for a virtual server (older, or cut off) says nothing about it.
 */
export function joinListing(table: IpvsTable, listing: IpvsListing): IpvsTable {
  const listed = new Map(listing.services.map((s) => [formatServiceKey(s.key), s]))
  return {
    ...table,
    services: table.services.map((service) => joinService(service, listed.get(formatServiceKey(service.key)), listing.ordered)),
  }
}

const nameOf = (at: Endpoint): string => `${at.ip.text} ${at.port}`

function joinService(service: VirtualServer, listed: ListedService | undefined, ordered: boolean): VirtualServer {
  if (!listed || listed.servers.length !== service.servers.length) return service
  const byName = new Map(service.servers.map((s) => [nameOf(s), s]))
  const servers: RealServer[] = []
  for (const row of listed.servers) {
    const server = byName.get(nameOf(row))
    if (!server) return service
    servers.push(withColumns(server, row))
  }
  if (ordered) return { ...service, servers, ordered: true }
  const known = new Map(servers.map((s) => [nameOf(s), s]))
  return { ...service, servers: service.servers.map((s) => known.get(nameOf(s)) ?? s) }
}

function withColumns(server: RealServer, { columns }: ListedServer): RealServer {
  const [active, inactive] = [columns.get('ActiveConn'), columns.get('InActConn')]
  return {
    ...server,
    ...(active !== undefined && inactive !== undefined && { connections: { active, inactive } }),
    upper: server.upper || (columns.get('Uthreshold') ?? 0),
    lower: server.lower || (columns.get('Lthreshold') ?? 0),
  }
}

/** The table that a plain `ipvsadm -Ln` shows, where there is no `ipvsadm-save`. Undefined if the listing has no schedulers (`--stats`). */
export function tableOfListing(listing: IpvsListing): IpvsTable | undefined {
  const services: VirtualServer[] = []
  for (const { key, words, servers, line } of listing.services) {
    const [scheduler, ...rest] = words
    if (scheduler === undefined || !/^[a-z]/.test(scheduler) || servers.some((s) => !s.method)) return undefined
    const after = (word: string) => (rest.includes(word) ? rest[rest.indexOf(word) + 1] : undefined)
    const family = key.kind === 'mark' ? key.family : key.ip.family
    const [timeout, maskText] = [after('persistent'), after('mask')]
    const mask = persistenceMask(maskText, family)
    services.push({
      key,
      scheduler,
      persistence:
        timeout === undefined || typeof mask === 'string'
          ? undefined
          : { timeout: Number(timeout), mask, ...(maskText !== undefined && { maskText }) },
      engine: after('pe'),
      onePacket: rest.includes('ops'),
      flags: rest[0]?.startsWith('(') ? rest[0].slice(1, -1).split(',') : [],
      servers: servers.map((s) =>
        withColumns(
          { ip: s.ip, port: s.port, method: s.method ?? 'route', weight: s.columns.get('Weight') ?? 1, upper: 0, lower: 0, line: s.line },
          s,
        ),
      ),
      ordered: listing.ordered,
      line,
    })
  }
  return { file: listing.file, services }
}
