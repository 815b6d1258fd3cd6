/** Connections of IPVS during one walk (net/netfilter/ipvs/ip_vs_conn.c). */
import type { ForwardMethod, IpvsProtocol, Tunnel } from '../../kernel/ipvs/types.ts'
import { type Ip, sameIp } from '../../net/ip.ts'
import type { Packet, PortRange } from '../../net/packet.ts'

/** A connection of IPVS (struct ip_vs_conn). */
export interface IpvsConn {
  readonly proto: IpvsProtocol
  readonly client: IpvsEnd
  readonly virtual: IpvsEnd
  /** the real server */
  readonly server: IpvsEnd
  readonly method: ForwardMethod
  /** of method `tunnel` */
  readonly tunnel: Tunnel['type']
  /** may IPVS and conntrack know of each other here (net.ipv4.vs.conntrack when it was made)? */
  readonly tracked: boolean
  /** for one packet only (`--ops`): it is not kept, and conntrack is left alone */
  readonly once: boolean
}

/** An address and a port, which may be one of a range that is not known. */
export interface IpvsEnd {
  readonly ip: Ip
  readonly port: PortRange
}

/** The two ends of a packet of a protocol that IPVS balances. */
export interface IpvsHeaders {
  readonly proto: IpvsProtocol
  readonly src: IpvsEnd
  readonly dst: IpvsEnd
}

/** What IPVS looks connections up by; undefined for protocols that it does not balance (ip_vs_proto_data_get). */
export function ipvsHeaders({ proto, src, dst, sport, dport }: Packet): IpvsHeaders | undefined {
  if ((proto !== 'tcp' && proto !== 'udp' && proto !== 'sctp') || !sport || !dport) return undefined
  return { proto, src: { ip: src, port: sport }, dst: { ip: dst, port: dport } }
}

/** The same packet seen from the other side: how the packet quoted by an ICMP error is looked up, and a request by `-m ipvs`. */
export const reversed = ({ proto, src, dst }: IpvsHeaders): IpvsHeaders => ({ proto, src: dst, dst: src })

const same = (x: IpvsEnd, y: IpvsEnd): boolean => sameIp(x.ip, y.ip) && x.port.lo === y.port.lo && x.port.hi === y.port.hi

/** ip_vs_conn_in_get: a request, from client to virtual server. */
export const findRequest = (list: readonly IpvsConn[], { proto, src, dst }: IpvsHeaders): IpvsConn | undefined =>
  list.find((c) => c.proto === proto && same(c.client, src) && same(c.virtual, dst))

/** ip_vs_conn_out_get: an answer, from the real server, or from the virtual address where the server answers itself, to the client. */
export const findAnswer = (list: readonly IpvsConn[], { proto, src, dst }: IpvsHeaders): IpvsConn | undefined =>
  list.find((c) => c.proto === proto && same(c.client, dst) && same(c.method === 'masquerade' ? c.server : c.virtual, src))
