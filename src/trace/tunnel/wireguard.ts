/** WireGuard as Linux does it (drivers/net/wireguard): the peer is chosen by the inner address, and its packets are UDP of the host's own. */
import type { Link } from '../../kernel/link/types.ts'
import { peerFor } from '../../kernel/wireguard/allowed.ts'
import type { WireguardDevice, WireguardPeer } from '../../kernel/wireguard/types.ts'
import { addressUnreachable, portUnreachable } from '../../net/icmp-error.ts'
import { formatPrefix, sameIp } from '../../net/ip.ts'
import { headerBytes, type Packet, port, type Tunnel } from '../../net/packet.ts'
import { noCt } from '../conntrack/entry.ts'
import { type End, newSkb, type Run, type Skb, Undecided, type Ways } from '../run.ts'
import type { Blame } from '../step.ts'
import type { Place } from '../world.ts'
import { around, type Course, deviceComplaint, needKind, outerSource, sendOuter } from './tunnel.ts'

/** bytes of the message header and of the authentication tag */
const overhead = 16 + 16

type Identity = Extract<Tunnel, { kind: 'wireguard' }>

/** wg_xmit, send4, send6. Neither mark nor conntrack go along: the outer packet has the device's mark. */
export function encapsulate(run: Run, skb: Skb, link: Link, ways: Ways): End {
  const { place, packet } = skb
  const device = settings(place, link)
  const peer = peerFor(device, packet.dst)
  const unreachable = (blame: Blame): End => deviceComplaint(skb, addressUnreachable(packet.family), blame)
  if (!peer) return unreachable({ place, kind: 'link', entry: `no peer of ${link.name} has ${packet.dst.text}`, source: device.source })
  const learned = run.endpoints.get(peer)
  const endpoint = learned ?? peer.endpoint
  if (!endpoint)
    return unreachable({
      place,
      kind: 'link',
      entry: `the peer of ${link.name} for ${packet.dst.text} has no endpoint`,
      source: peer.source,
    })
  const course: Course = {
    remote: endpoint.ip,
    local: learned?.own,
    proto: 'udp',
    mark: device.fwmark,
    ...(endpoint.device !== undefined && { device: endpoint.device }),
  }
  const source = outerSource(run, skb, link, course)
  if (source.kind !== 'source') return source
  const outer: Packet = {
    family: endpoint.ip.family,
    proto: 'udp',
    src: source.src,
    dst: endpoint.ip,
    sport: port(device.port ?? 0),
    dport: port(endpoint.port),
    ttl: 64,
    // skb->ignore_df: they may be cut, in IPv6 too
    ...around(padded(packet, link.mtu), headerBytes(endpoint.ip.family, 'udp') + overhead),
    inner: packet,
    tunnel: {
      kind: 'wireguard',
      ...(device.publicKey !== undefined && { from: device.publicKey }),
      ...(peer.publicKey !== undefined && { to: peer.publicKey }),
    },
  }
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'encapsulate',
    where: link.name,
    action: `WireGuard to ${endpoint.ip.text}`,
    weight: 'changes',
    source: peer.source,
    also: [link.source],
    device: link.name,
    packet: outer,
  })
  return sendOuter(run, skb, outer, { mark: device.fwmark, lookup: course }, ways)
}

/** calculate_skb_padding: to a multiple of 16 bytes, but not beyond the MTU */
const padded = (p: Packet, mtu: number): Packet =>
  p.size === undefined ? p : { ...p, size: Math.max(p.size, Math.min(mtu, (p.size + 15) & ~15)) }

/** The settings of a device by its link, from `wg show`. */
function settings(place: Place, link: Link): WireguardDevice {
  const file = `${place.host.dir}/wg-show.txt`
  if (!place.host.wireguard) throw new Undecided(place.label, `${file} is missing: the peers of ${link.name} are not known`)
  const device = place.host.wireguard.find((d) => d.name === link.name)
  if (!device) throw new Undecided(place.label, `${file} does not show ${link.name}`)
  return device
}

/** wg_receive, wg_packet_consume_data_done: a peer that both ends agree on, and an inner source that it may send from. */
export function decapsulate(run: Run, skb: Skb, tunnel: Identity, ways: Ways): End {
  const { place, packet: outer } = skb
  const { inner } = outer
  const links = [...place.links.values()].filter((l) => l.kind === 'wireguard' && l.up)
  const link = links.find((l) => settings(place, l).port === outer.dport?.lo)
  if (!link) needKind(run, place)
  if (!link || !inner) {
    const blame: Blame = { place, kind: 'link', entry: `no WireGuard device that is up listens on udp/${outer.dport?.lo}` }
    return { kind: 'complaint', skb, error: portUnreachable(outer.family), blame }
  }
  const device = settings(place, link)
  const dropped = (entry: string, { source }: WireguardDevice | WireguardPeer): End => ({
    kind: 'dropped',
    skb,
    blame: { place, kind: 'link', entry, source },
  })
  if (tunnel.to !== undefined && device.publicKey !== undefined && tunnel.to !== device.publicKey)
    return dropped(`${link.name} has another key than ${outer.src.text} knows it by`, device)
  const peer = device.peers.find((p) => isPeer(p, tunnel, outer))
  if (!peer) return dropped(`${outer.src.text} is no peer of ${link.name}`, device)
  // the peer is answered where it was heard from, from where it was heard at (wg_socket_set_peer_endpoint)
  run.endpoints.set(peer, { ip: outer.src, port: outer.sport?.lo ?? 0, own: outer.dst })
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'decapsulate',
    where: link.name,
    action: 'unpacked from WireGuard',
    weight: 'changes',
    source: peer.source,
    also: [link.source],
    device: link.name,
    packet: inner,
  })
  if (peerFor(device, inner.src) !== peer) {
    const allowed = peer.allowed.map(formatPrefix).join(', ') || 'nothing'
    return dropped(`the peer ${outer.src.text} of ${link.name} may not send from ${inner.src.text} (allowed: ${allowed})`, peer)
  }
  return ways.receive(run, newSkb(inner, place, link.name, 0, noCt))
}

/** By its key; where keys were cut out of the dumps, by the address that it is reached at. */
function isPeer(peer: WireguardPeer, { from }: Identity, outer: Packet): boolean {
  if (from !== undefined && peer.publicKey !== undefined) return from === peer.publicKey
  return peer.endpoint !== undefined && sameIp(peer.endpoint.ip, outer.src) && peer.endpoint.port === outer.sport?.lo
}
