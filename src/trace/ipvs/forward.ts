/** How IPVS sends a packet to its real server (net/netfilter/ipvs/ip_vs_xmit.c). */
import type { Hook } from '../../kernel/iptables/env.ts'
import { addressUnreachable, timeExceeded } from '../../net/icmp-error.ts'
import { isLoopback } from '../../net/ip.ts'
import { refuseToForward } from '../mtu.ts'
import { chooseSource, route } from '../routing.ts'
import { conntrackOf, type End, type HookResult, passed, type Run, type Skb, Undecided, type Way } from '../run.ts'
import type { Blame } from '../step.ts'
import { inIpip, outerHeader } from '../tunnel/ipip.ts'
import type { IpvsConn } from './connections.ts'

/**
 * Sends a packet on to its real server. A remote one gets it by the way of packets that the host sends itself: LOCAL_OUT, POSTROUTING, never
 * FORWARD. For a server of this host the packet just goes on with its new destination.
 */
export function forwardToServer(run: Run, skb: Skb, hook: Hook, conn: IpvsConn): HookResult {
  const { place } = skb
  const { family } = skb.packet
  // do_output_route4: the destination alone, no mark, no source
  const way = route(run, place, { family: conn.server.ip.family, dst: conn.server.ip, mark: 0, iif: 'lo' }, 'route to the real server')
  if (way.kind === 'no-way') return { kind: 'reject', error: addressUnreachable(family), blame: way.blame }
  const refused = crosses(skb, hook, conn, way)
  if (refused) return { kind: 'drop', blame: refused }
  if (way.kind === 'out') {
    // decrement_ttl
    if (skb.packet.ttl <= 1) {
      const blame: Blame = { place, kind: 'route', entry: `routing loop: ${way.route.text}`, source: way.route.source }
      return { kind: 'reject', error: timeExceeded(family), blame }
    }
    skb.packet = { ...skb.packet, ttl: skb.packet.ttl - 1 }
    // ensure_mtu_is_adequate
    const refusal = refuseToForward(run, skb, way, conn.method === 'tunnel' ? outerHeader : 0)
    if (refusal) return { ...refusal, kind: 'reject' }
  }
  if (conn.method === 'tunnel' && way.kind === 'out') return tunnelled(run, skb, conn)
  skb.ipvs = true
  if (conn.method === 'masquerade') skb.packet = { ...skb.packet, dst: conn.server.ip, dport: conn.server.port }
  tellConntrack(skb, conn)
  if (way.kind === 'local') return passed
  const next: Way = conn.method === 'route' ? { ...way, gateway: way.gateway ?? conn.server.ip } : way
  return { kind: 'taken', goOn: (ways) => answeredDirectly(conn, skb, ways.output(run, skb, next)) }
}

/** Only masqueraded connections are answered by way of this host. */
function answeredDirectly({ method, server }: IpvsConn, { place }: Skb, end: End): End {
  if (method !== 'masquerade' && end.kind === 'beyond')
    throw new Undecided(place.label, `real server ${server.ip.text} has no dump: by which way it answers is not known`)
  return end
}

/** crosses_local_route_boundary, and “stopping DNAT to loopback address”. Such packets are dropped without a word. */
function crosses(skb: Skb, hook: Hook, conn: IpvsConn, way: Way): Blame | undefined {
  const { place, packet } = skb
  const blame = (entry: string): Blame => ({ place, kind: 'route', entry })
  const fromHere = skb.inDevice === '' || skb.looped
  if (way.kind === 'out') {
    const loopback = isLoopback(packet.src) && (packet.family === 4 || fromHere)
    return loopback ? blame(`IPVS sends nothing from ${packet.src.text} to other hosts`) : undefined
  }
  const wasLocal = hook === 'INPUT' || place.links.get(skb.outDevice)?.kind === 'loopback'
  if (conn.method !== 'masquerade' && !wasLocal)
    return blame(`IPVS does not hand packets for other hosts to ${conn.server.ip.text} of this one`)
  return conn.method === 'masquerade' && isLoopback(conn.server.ip) && !fromHere
    ? blame(`IPVS does not send packets from the wire to ${conn.server.ip.text}`)
    : undefined
}

/**
 * What conntrack learns: with net.ipv4.vs.conntrack the entry's answers come from the real server, without a mark of destination NAT
 * (ip_vs_update_conntrack); otherwise the packet is untracked from here on.
 */
function tellConntrack(skb: Skb, { method, tracked, once, server }: IpvsConn): void {
  const { ct } = skb
  if (ct.kind !== 'entry') return
  if (!tracked) skb.ct = { kind: 'untracked' }
  else if (method === 'masquerade' && !once && (ct.entry.supposed || !ct.entry.confirmed) && ct.direction === 'ORIGINAL' && !ct.related) {
    ct.entry.reply = { ...ct.entry.reply, src: server.ip, ...(ct.entry.reply.sport && { sport: server.port }) }
  }
}

/** ip_vs_tunnel_xmit: the whole packet inside one of the host's own to the real server. */
function tunnelled(run: Run, skb: Skb, conn: IpvsConn): HookResult {
  const { place, packet, mark } = skb
  const remote = conn.server.ip
  if (conn.tunnel !== 'ipip') throw new Undecided(place.label, `IPVS tunnels of type ${conn.tunnel} are not modelled`)
  if (remote.family !== 4 || packet.family !== 4)
    throw new Undecided(place.label, `IPVS tunnels to ${remote.text} with IPv${packet.family} inside are not modelled`)
  // ip_vs_tunnel_xmit_prepare: the entry ends here
  if (conn.tracked) conntrackOf(run, place).confirm(skb.ct)
  const source = chooseSource(run, place, remote, { record: false })
  if (source.kind === 'no-way') return { kind: 'drop', blame: source.blame }
  const outer = inIpip(packet, { src: source.src, dst: remote, ttl: packet.ttl, df: packet.df === true })
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'encapsulate',
    where: 'IPVS',
    action: `IPIP to ${remote.text}`,
    weight: 'changes',
    owner: 'kernel',
    packet: outer,
  })
  return {
    kind: 'taken',
    goOn: (ways) => {
      const end = ways.sendLocal(run, place, outer, { mark, ttl: outer.ttl })
      if (end.kind === 'errno') return { kind: 'dropped', skb, blame: end.blame }
      // ip_vs_in_icmp passes it on to the client
      if (end.kind === 'complaint' && end.skb.packet.tunnel === outer.tunnel)
        throw new Undecided(place.label, `errors about tunnel packets of IPVS are not followed (${end.blame.entry})`)
      return answeredDirectly(conn, skb, end)
    },
  }
}
