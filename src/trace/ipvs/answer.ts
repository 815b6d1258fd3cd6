/** The way back through IPVS (ip_vs_core.c: ip_vs_out_hook, handle_response, ip_vs_out_icmp): answers and errors show the virtual server's address. */
import type { Hook } from '../../kernel/iptables/env.ts'
import type { IpvsTable } from '../../kernel/ipvs/types.ts'
import { portUnreachable } from '../../net/icmp-error.ts'
import { isIcmpError, type Packet } from '../../net/packet.ts'
import { type HookResult, ipvsConnectionsOf, passed, type Run, type Skb } from '../run.ts'
import { findAnswer, type IpvsConn, type IpvsHeaders, ipvsHeaders, reversed } from './connections.ts'
import { ipvsSetting } from './settings.ts'

/** An answer of a real server, or an error about a request that was sent on. */
export function ipvsAnswer(run: Run, skb: Skb, hook: Hook): HookResult {
  if (skb.ipvs) return passed
  const { packet, place } = skb
  const list = ipvsConnectionsOf(run, place)
  const quoted = isIcmpError(packet) ? packet.inner : undefined
  const headers = ipvsHeaders(quoted ?? packet)
  if (!headers || (quoted && !passesErrors(packet))) return passed
  // the quoted packet went from the client to the real server: the other way round
  const conn = findAnswer(list, quoted ? reversed(headers) : headers)
  if (!conn) return quoted ? passed : stray(run, skb, headers)
  const translated = conn.method === 'masquerade'
  if (translated) skb.packet = quoted ? aboutVirtual(packet, quoted, conn) : { ...packet, src: conn.virtual.ip, sport: conn.virtual.port }
  skb.ipvs = true
  tellConntrack(skb, conn)
  if (!translated) return passed
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'ipvs',
    where: hook,
    action: `from ${conn.virtual.ip.text} again`,
    weight: 'changes',
    owner: 'kernel',
    packet: skb.packet,
  })
  // ip_vs_route_me_harder: “Reroute replies only to remote clients (FORWARD and LOCAL_OUT)”
  const away = hook === 'FORWARD' || (hook === 'OUTPUT' && place.links.get(skb.outDevice)?.kind !== 'loopback')
  return away && ipvsSetting(run, place, 'snat_reroute') !== 0 ? { kind: 'pass', reroute: true } : passed
}

/** ip_vs_update_conntrack, as for requests: an entry that an answer begins leads back to the virtual server. */
function tellConntrack(skb: Skb, conn: IpvsConn): void {
  const { ct } = skb
  if (ct.kind !== 'entry') return
  if (!conn.tracked) skb.ct = { kind: 'untracked' }
  else if (conn.method === 'masquerade' && !ct.entry.confirmed && ct.direction === 'ORIGINAL' && !ct.related) {
    ct.entry.reply = { ...ct.entry.reply, dst: conn.virtual.ip, ...(ct.entry.reply.dport && { dport: conn.virtual.port }) }
  }
}

/** Of IPv4 only unreachable, source quench and time exceeded. */
const passesErrors = ({ family, icmp }: Packet): boolean => family === 6 || (icmp !== undefined && [3, 4, 11].includes(icmp.type))

/** ip_vs_nat_icmp: from the virtual address, about a packet to it. */
const aboutVirtual = (error: Packet, quoted: Packet, { virtual }: IpvsConn): Packet => ({
  ...error,
  src: virtual.ip,
  inner: { ...quoted, dst: virtual.ip, dport: virtual.port },
})

/** With net.ipv4.vs.nat_icmp_send a real server that sends without a connection is told so, and its packet dropped. */
function stray(run: Run, skb: Skb, { proto, src }: IpvsHeaders): HookResult {
  const { place, packet } = skb
  const table = place.host.ipvs?.table
  if (!table || packet.tcp === 'RST' || ipvsSetting(run, place, 'nat_icmp_send') === 0) return passed
  const servers = realServers(table)
  if (![proto, 'any'].some((p) => servers.has(`${p} ${src.ip.text} ${src.port.lo}`))) return passed
  return {
    kind: 'reject',
    error: portUnreachable(packet.family),
    blame: {
      place,
      kind: 'sysctl',
      entry: `net.ipv4.vs.nat_icmp_send: IPVS knows no connection of real server ${src.ip.text}:${src.port.lo}`,
    },
  }
}

const known = new WeakMap<IpvsTable, ReadonlySet<string>>()

/** Masqueraded real servers by protocol, address and port (ip_vs_has_real_service). */
function realServers(table: IpvsTable): ReadonlySet<string> {
  let set = known.get(table)
  if (!set) {
    const names = table.services.flatMap(({ key, servers }) =>
      servers.filter((s) => s.method === 'masquerade').map((s) => `${key.kind === 'address' ? key.proto : 'any'} ${s.ip.text} ${s.port}`),
    )
    known.set(table, (set = new Set(names)))
  }
  return set
}
