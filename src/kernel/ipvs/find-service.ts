import type { Family, Ip } from '../../net/ip.ts'
import { formatServiceKey } from './format-save.ts'
import type { IpvsProtocol, IpvsTable, ServiceKey, VirtualServer } from './types.ts'

/** What of a packet makes it one of a virtual server. */
export interface Asked {
  readonly proto: IpvsProtocol
  readonly dst: Ip
  readonly dport: number
  readonly mark: number
}

/** ports that any process may use: net.ipv4.ip_unprivileged_port_start */
const UNPRIVILEGED = 1024
export const FTP = 21
const FTP_DATA = 20

/**
 * The virtual server of a packet (ip_vs_service_find): by mark; by protocol, address and port; for what may be an FTP data connection that
 * of port 21; that of all ports (port 0).
 */
export function findService(table: IpvsTable, { proto, dst, dport, mark }: Asked): VirtualServer | undefined {
  const { byKey, hasFtp } = indexOf(table)
  const get = (key: ServiceKey) => byKey.get(formatServiceKey(key))
  const at = (port: number) => get({ kind: 'address', proto, ip: dst, port })
  return (
    (mark !== 0 ? get({ kind: 'mark', mark, family: dst.family }) : undefined) ??
    at(dport) ??
    (hasFtp && proto === 'tcp' && (dport === FTP_DATA || dport >= UNPRIVILEGED) ? at(FTP) : undefined) ??
    at(0)
  )
}

/** Are there virtual servers of this family? Without any, IPVS is not at its hooks (ip_vs_register_hooks). */
export const hasFamily = (table: IpvsTable, family: Family): boolean => indexOf(table).families.has(family)

interface Index {
  readonly byKey: ReadonlyMap<string, VirtualServer>
  readonly families: ReadonlySet<Family>
  readonly hasFtp: boolean
}

const indexes = new WeakMap<IpvsTable, Index>()

function indexOf(table: IpvsTable): Index {
  let index = indexes.get(table)
  if (!index) {
    const keys = table.services.map((s) => s.key)
    index = {
      byKey: new Map(table.services.map((s) => [formatServiceKey(s.key), s])),
      families: new Set(keys.map((k) => (k.kind === 'mark' ? k.family : k.ip.family))),
      hasFtp: keys.some((k) => k.kind === 'address' && k.proto === 'tcp' && k.port === FTP),
    }
    indexes.set(table, index)
  }
  return index
}
