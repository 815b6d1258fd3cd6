/** The connection that IPVS has for a packet whose connection exists: by its own table, or by what conntrack keeps of it. */
import { findService } from '../../kernel/ipvs/find-service.ts'
import type { ForwardMethod, RealServer } from '../../kernel/ipvs/types.ts'
import { type Ip, sameIp } from '../../net/ip.ts'
import type { Ipvs } from '../../snapshot/types.ts'
import type { Run, Skb } from '../run.ts'
import type { IpvsConn, IpvsHeaders } from './connections.ts'

/** Undefined if there is none, or if the flow is not about one that exists. */
export function existingConnection(run: Run, { ct, mark }: Skb, ipvs: Ipvs, headers: IpvsHeaders): IpvsConn | undefined {
  const { proto, src, dst } = headers
  if (!run.known || run.answering || dst.port.lo !== dst.port.hi) return undefined
  const service = findService(ipvs.table, { proto, dst: dst.ip, dport: dst.port.lo, mark })
  if (!service) return undefined
  const methodOf = (ip: Ip, port: number): ForwardMethod =>
    service.servers.find((s: RealServer) => sameIp(s.ip, ip) && s.port === port)?.method ?? 'masquerade'
  const conn = (ip: Ip, port: number, method: ForwardMethod): IpvsConn => ({
    proto,
    client: src,
    virtual: dst,
    server: { ip, port: { lo: port, hi: port } },
    method,
    tunnel: 'ipip',
    tracked: ct.kind === 'entry',
    once: false,
  })
  if (ipvs.connections) {
    const own = ipvs.connections.find(
      (c) =>
        c.proto === proto &&
        sameIp(c.client.ip, src.ip) &&
        c.client.port === src.port.lo &&
        sameIp(c.virtual.ip, dst.ip) &&
        c.virtual.port === dst.port.lo,
    )
    return own && conn(own.destination.ip, own.destination.port, methodOf(own.destination.ip, own.destination.port))
  }
  const dumped = ct.kind === 'entry' ? ct.entry.dumped : undefined
  if (!dumped || sameIp(dumped.reply.src, dumped.original.dst)) return undefined
  run.assumptions.add('IPVS is taken to have the connections that conntrack has: ipvsadm -Lnc was not recorded')
  // only masquerading shows in conntrack (ip_vs_update_conntrack)
  return conn(dumped.reply.src, dumped.reply.sport?.lo ?? dst.port.lo, 'masquerade')
}
