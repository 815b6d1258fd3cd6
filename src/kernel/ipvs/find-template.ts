import { fromWords, type Ip, type Prefix } from '../../net/ip.ts'
import { formatEndpoint } from './endpoint.ts'
import { type Asked, FTP } from './find-service.ts'
import type { IpvsConnection, Persistence, RealServer, VirtualServer } from './types.ts'

/**
 * The real servers that a persistent virtual server's client may be stuck to by its template: none without one, several only where a
 * template names an address that several servers share. A server that is gone, or is draining while `expireQuiescent`
 * (net.ipv4.vs.expire_quiescent_template), makes the template void (ip_vs_check_template). `there`: has it not ended since?
 */
export function findTemplate(
  service: VirtualServer,
  persistence: Persistence,
  client: Ip,
  asked: Asked,
  connections: readonly IpvsConnection[],
  expireQuiescent: boolean,
  there: (template: IpvsConnection) => boolean,
): readonly RealServer[] {
  const { key } = service
  const from = masked(client, persistence.mask)
  // ip_vs_sched_persist: <protocol, client, 0, address, port>; ports are left out for FTP and for all ports at once, and marks have protocol IP
  const ports = key.kind === 'address' && key.port === asked.dport && key.port !== FTP
  const name =
    key.kind === 'mark'
      ? // the mark is in the first word, of IPv6 addresses as well
        nameOf('ip', from, key.family === 4 ? fromWords(4, 0, 0, 0, key.mark) : fromWords(6, key.mark, 0, 0, 0), 0)
      : nameOf(asked.proto, from, asked.dst, ports ? asked.dport : 0)
  const template = indexOf(connections).get(name)
  if (!template || !there(template)) return []
  const { ip, port } = template.destination
  const named = service.servers.filter((s) => s.ip.text === ip.text && (!ports || s.port === port))
  return named.filter((s) => s.weight > 0 || !expireQuiescent)
}

const masked = (ip: Ip, m: Prefix): Ip => fromWords(ip.family, ip.a & m.ma, ip.b & m.mb, ip.c & m.mc, ip.d & m.md)

const nameOf = (proto: string, client: Ip, virtual: Ip, port: number): string =>
  `${proto} ${client.text} ${formatEndpoint({ ip: virtual, port })}`

/** Has a template connections that it was used for? While there are any it does not end (ip_vs_conn_expire: “do I control anybody?”). */
export const isInUse = (
  { proto, client, virtual }: IpvsConnection,
  { mask }: Persistence,
  connections: readonly IpvsConnection[],
): boolean =>
  connections.some(
    (c) =>
      c.client.port !== 0 &&
      masked(c.client.ip, mask).text === client.ip.text &&
      (proto === 'ip' || (c.proto === proto && c.virtual.ip.text === virtual.ip.text)),
  )

const indexes = new WeakMap<readonly IpvsConnection[], ReadonlyMap<string, IpvsConnection>>()

/** Templates by what they are looked up by. */
function indexOf(connections: readonly IpvsConnection[]): ReadonlyMap<string, IpvsConnection> {
  let index = indexes.get(connections)
  if (!index) {
    const templates = connections.filter((c) => c.client.port === 0)
    index = new Map(templates.map((c) => [nameOf(c.proto, c.client.ip, c.virtual.ip, c.virtual.port), c]))
    indexes.set(connections, index)
  }
  return index
}
