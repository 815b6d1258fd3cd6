/**
 * IPVS at its hooks (net/netfilter/ipvs/ip_vs_core.c): answers get the virtual server's address back, requests go to a real server. It sits
 * in LOCAL_IN behind the filter, in LOCAL_OUT behind NAT, and in FORWARD behind the filter, where it sees answers only.
 */
import type { Hook } from '../../kernel/iptables/env.ts'
import { formatServiceKey } from '../../kernel/ipvs/format-save.ts'
import type { VirtualServer } from '../../kernel/ipvs/types.ts'
import { portUnreachable } from '../../net/icmp-error.ts'
import type { Packet } from '../../net/packet.ts'
import { isKubeProxyDevice } from '../attribution/device-names.ts'
import { noEndpoint } from '../conntrack/supposed.ts'
import { type HookResult, ipvsConnectionsOf, passed, type Run, type Skb, Undecided } from '../run.ts'
import type { Blame } from '../step.ts'
import { type Choice, chooseServer } from './choice.ts'
import { findRequest, type IpvsConn, type IpvsHeaders, ipvsHeaders, reversed } from './connections.ts'
import { existingConnection } from './existing.ts'
import { forwardToServer } from './forward.ts'
import { ipvsSetting } from './settings.ts'

/** ip_vs_in: a request for a virtual server is scheduled, or follows its connection. */
export function ipvsRequest(run: Run, skb: Skb, hook: Hook): HookResult {
  const { place, packet } = skb
  // “Already marked as IPVS request or reply?”
  if (skb.ipvs) return passed
  const headers = ipvsHeaders(packet)
  const { ipvs } = place.host
  if (!headers) return passed
  if (!ipvs) return unseen(run, skb)
  const list = ipvsConnectionsOf(run, place)
  const known = findRequest(list, headers) ?? existing(run, skb, list, headers)
  if (known) return forwardToServer(run, skb, hook, known)
  if (!mayBegin(run, skb) || isOwnAnswer(skb, list, headers)) return passed
  if (ipvsSetting(run, place, 'backup_only') !== 0 && run.choices.unknown(`IPVS of ${place.label} is a backup (backup_only = 1)`))
    return passed
  const before = run.choices.points.length
  const choice = chooseServer(run, skb, ipvs, headers)
  switch (choice.kind) {
    case 'none':
      return passed
    case 'drop':
      return { kind: 'drop', blame: blameOf(skb, choice, 'IPVS drops new connections (net.ipv4.vs.drop_packet)') }
    case 'empty':
      if (run.state === 'established' && !run.answering)
        throw new Undecided(place.label, noEndpoint(place.label, `virtual server/${formatServiceKey(choice.service.key)}`))
      return leave(run, skb, choice)
    case 'server': {
      const conn = connect(run, skb, choice, headers)
      if (!conn.once) list.push(conn)
      noteServer(run, skb, choice, conn, before)
      return forwardToServer(run, skb, hook, conn)
    }
  }
}

/** One that was there before this walk. */
function existing(run: Run, skb: Skb, list: IpvsConn[], headers: IpvsHeaders): IpvsConn | undefined {
  const { ipvs } = skb.place.host
  const conn = ipvs && existingConnection(run, skb, ipvs, headers)
  if (conn) list.push(conn)
  return conn
}

/**
 * kube-proxy's device tells of IPVS, even where its table was not dumped: the device has the addresses of Services, and their node ports are
 * virtual servers at the node's own addresses.
 */
function unseen(run: Run, { place, packet }: Skb): HookResult {
  const at = place.addresses.get(packet.dst.text)
  if (!at) return passed
  const because = isKubeProxyDevice(at.name) ? `is bound to ${at.name}` : nodePortOf(run, packet)
  if (because === undefined) return passed
  const file = `${place.host.dir}/ipvsadm-save.txt`
  throw new Undecided(place.label, `${file} is missing: ${packet.dst.text} ${because}, so IPVS decides where packets go`)
}

function nodePortOf(run: Run, { proto, dport }: Packet): string | undefined {
  const service = run.world.snapshot.cluster.services.find((s) => s.ports.some((p) => p.nodePort === dport?.lo && p.protocol === proto))
  return service && `port ${dport?.lo} is a node port of service/${service.namespace}/${service.name}`
}

/** What a connection may begin with: a SYN, whatever else by net.ipv4.vs.sloppy_tcp, but no reset (tcp_conn_schedule). */
function mayBegin(run: Run, { packet, place }: Skb): boolean {
  if (!packet.tcp) return true
  if (packet.tcp === 'RST') return false
  // it has begun long ago, with a server that nobody recorded
  if (run.state === 'established' && !run.answering) return true
  return packet.tcp !== 'ACK' || ipvsSetting(run, place, 'sloppy_tcp') !== 0
}

/** “Do not schedule replies from local real server.” */
const isOwnAnswer = (skb: Skb, list: readonly IpvsConn[], headers: IpvsHeaders): boolean =>
  (skb.inDevice === '' || skb.looped) && findRequest(list, reversed(headers)) !== undefined

type Served = Extract<Choice, { kind: 'server' }>

function connect(run: Run, { place }: Skb, { service, server }: Served, { proto, src, dst }: IpvsHeaders): IpvsConn {
  const port = server.port === 0 ? dst.port : { lo: server.port, hi: server.port }
  return {
    proto,
    client: src,
    virtual: dst,
    server: { ip: server.ip, port },
    method: server.method,
    tunnel: server.tunnel?.type ?? 'ipip',
    tracked: ipvsSetting(run, place, 'conntrack') !== 0,
    once: service.onePacket && proto === 'udp',
  }
}

/** ip_vs_leave: the client is told that the port is unreachable. */
function leave(run: Run, skb: Skb, choice: Extract<Choice, { kind: 'empty' }>): HookResult {
  const { place, packet } = skb
  const { service } = choice
  if (service.key.kind === 'mark' && ipvsSetting(run, place, 'cache_bypass') !== 0)
    throw new Undecided(place.label, 'IPVS with net.ipv4.vs.cache_bypass is not modelled')
  const blame = blameOf(
    skb,
    choice,
    service.servers.length === 0
      ? `virtual server ${formatServiceKey(service.key)} has no real servers`
      : `no real server of ${formatServiceKey(service.key)} takes new connections`,
  )
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'ipvs',
    where: 'real server',
    action: service.servers.length === 0 ? 'none: port unreachable' : 'none that takes new connections: port unreachable',
    weight: 'decides',
    ...(blame.source && { source: blame.source }),
    virtualServer: service.key,
  })
  return { kind: 'reject', error: portUnreachable(packet.family), blame }
}

const blameOf = ({ place }: Skb, { service }: { readonly service: VirtualServer }, entry: string): Blame => ({
  place,
  kind: 'endpoint',
  entry,
  ...(place.host.ipvs && { source: { file: place.host.ipvs.table.file, line: service.line } }),
})

const verbs = { masquerade: 'DNAT', tunnel: 'tunnel', route: 'direct routing' } as const

function noteServer(run: Run, skb: Skb, { service, server }: Served, conn: IpvsConn, before: number): void {
  const { place } = skb
  const choice = run.choices.since(before)
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'ipvs',
    where: 'real server',
    action: `${verbs[conn.method]} to ${server.ip.family === 6 ? `[${server.ip.text}]` : server.ip.text}:${conn.server.port.lo}`,
    weight: 'changes',
    ...(place.host.ipvs && { source: { file: place.host.ipvs.table.file, line: server.line } }),
    virtualServer: service.key,
    ...(choice && { choice }),
    ...(conn.method === 'masquerade' && { packet: { ...skb.packet, dst: conn.server.ip, dport: conn.server.port } }),
  })
}
