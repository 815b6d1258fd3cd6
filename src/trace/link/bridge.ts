/**
 * Frames on a bridge of a host (net/bridge/br_input.c, br_forward.c, br_netfilter_hooks.c): up to the host itself, or from port to port, past
 * the host's routing, and with br_netfilter through its tables nevertheless.
 */
import type { Link } from '../../kernel/link/types.ts'
import { sendRedirects } from '../../kernel/sysctl/effective.ts'
import { contains, type Ip, prefix, sameIp } from '../../net/ip.ts'
import type { Packet } from '../../net/packet.ts'
import { routeInput } from '../input-routing.ts'
import { beginLeg, endLeg } from '../legs.ts'
import { refuseFrame, refuseToReceive } from '../mtu.ts'
import { passBridge, runPortHook } from '../netfilter/device-hooks.ts'
import { hookFunctions } from '../netfilter/hook-list.ts'
import { runHook } from '../netfilter/hooks.ts'
import { enterHost, passDevice } from '../programs.ts'
import { type End, newSkb, type Run, type Skb, stopped, Undecided, type Ways } from '../run.ts'
import type { Blame } from '../step.ts'
import type { Port } from '../world.ts'
import { type Calls, callsNetfilter } from './bridge-netfilter.ts'
import { apart, type Bridge, closed, isFound, type Missing, needUsual, portOf, portsOf, seek, type Target } from './bridge-segment.ts'
import { deviceBlame, unresolved } from './neighbours.ts'
import { cross, wire } from './wire.ts'

/** A frame that has come in by a port, if that is known, of whoever `sender` is. */
interface Frame {
  readonly bridge: Bridge
  readonly port: Link | undefined
  readonly sender: string | undefined
  readonly target: Target
}

/** A pod's packet leaves by its link, whose other end is a port of a bridge. */
export function crossToBridge(run: Run, skb: Skb, link: Link, peer: Port, bridge: Bridge, nextHop: Ip, ways: Ways): End {
  const { place } = skb
  const port = peer.link
  enterHost(run, peer.place)
  const down = [port, bridge.link].find((l) => !l.up)
  if (down) return { kind: 'dropped', skb, blame: deviceBlame(peer.place, down, 'is down') }
  needUsual(bridge, port)
  const shut = closed(peer.place, port)
  if (shut) return { kind: 'dropped', skb, blame: shut }
  const target = seek(run, skb, { place, link }, bridge, port, nextHop)
  if (!isFound(target)) return notSent(run, skb, bridge, nextHop, target)
  const refused = cross(run, skb, peer, `to ${peer.place.label} by ${port.name}`)
  if (refused) return refused
  return enter(run, newSkb(skb.packet, peer.place, bridge.link.name), { bridge, port, sender: place.id, target }, ways)
}

/** Nobody to send to. */
function notSent(run: Run, skb: Skb, { place, link }: Bridge, nextHop: Ip, missing: Missing): End {
  switch (missing.kind) {
    case 'nobody':
      return unresolved(run, skb, nextHop, missing.known, missing.deaf)
    case 'lost':
      return { kind: 'dropped', skb, blame: missing.blame }
    case 'elsewhere':
      throw new Undecided(place.label, `no dump shows who owns ${nextHop.text} on the segment of ${place.label} ${link.name}`)
  }
}

/** The host itself sends by its bridge (br_dev_xmit); undefined if not to a pod behind one of its ports. */
export function leaveByBridge(run: Run, skb: Skb, link: Link, nextHop: Ip, ways: Ways): End | undefined {
  const bridge = { place: skb.place, link }
  const target = seek(run, skb, bridge, bridge, undefined, nextHop)
  if (target.kind === 'elsewhere' || target.kind === 'host' || target.kind === 'unseen') return undefined
  if (!isFound(target)) return notSent(run, skb, bridge, nextHop, target)
  if (skb.inDevice === link.name && skb.packet.family === 4 && sendRedirects(skb.place.host.sysctls, link.name)?.value)
    run.assumptions.add(
      `${skb.place.label} tells pods of shorter ways (send_redirects of ${link.name}): they are taken to have learned none`,
    )
  return deliver(run, skb, { bridge, port: undefined, sender: undefined, target }, ways)
}

/** A packet has come in by a bridge, for the host itself: by the one port of which no dump shows the other end, if there is only one. */
export function enterFromBeyond(run: Run, skb: Skb, link: Link, ways: Ways): End {
  const bridge = { place: skb.place, link }
  const [port, another] = portsOf(bridge).filter((p) => !run.world.peer(skb.place, p))
  return enter(run, skb, { bridge, port: another ? undefined : port, sender: undefined, target: { kind: 'host' } }, ways)
}

/**
 * A pod without a dump sends: it is taken to have the bridge's prefixes on its link, as the CNI plugins for bridges and docker give it, and what it
 * knows of its neighbours to be right.
 */
export function enterFromPod(run: Run, bridge: Bridge, sender: string, packet: Packet, ways: Ways): End {
  const { place, link } = bridge
  const skb = newSkb(packet, place, link.name)
  const port = portOf(bridge, packet.src)
  const frame = { bridge, port, sender }
  enterHost(run, place)
  needUsual(bridge, port)
  const { dst } = packet
  const direct = link.addresses.some((a) => a.scope === 'global' && contains(prefix(a.ip, a.prefixLength), dst))
  if (!direct || place.addresses.has(dst.text)) return enter(run, skb, { ...frame, target: { kind: 'host' } }, ways)
  run.assumptions.add('pods without a dump of their own, behind a bridge, are taken to have its prefix on their link')
  const target = seek(run, skb, undefined, bridge, port, dst)
  if (!isFound(target)) return notSent(run, skb, bridge, dst, target)
  return enter(run, skb, { ...frame, target }, ways)
}

/** br_handle_frame, and PREROUTING if the bridge calls it (br_nf_pre_routing), whoever the frame is for. */
function enter(run: Run, skb: Skb, frame: Frame, ways: Ways): End {
  const { packet } = skb
  const { bridge, port } = frame
  const ingress = port && runPortHook(run, skb, port.name, 'INGRESS')
  if (ingress && ingress.kind !== 'pass') return stopped(skb, ingress, ways)
  const calls = callsNetfilter(run, bridge, packet.family)
  if (!calls.calls) return goOn(run, skb, frame, calls, ways)
  skb.bridged = { in: port?.name ?? '?' }
  beginLeg(run, skb, 'prerouting')
  const pre = runHook(run, skb, 'PREROUTING')
  if (pre.kind !== 'pass') return stopped(skb, pre, ways)
  if (sameIp(skb.packet.dst, packet.dst)) return goOn(run, skb, frame, calls, ways)
  return redirected(run, skb, frame, calls, ways)
}

/** br_handle_frame_finish */
const goOn = (run: Run, skb: Skb, frame: Frame, calls: Calls, ways: Ways): End =>
  frame.target.kind === 'host' ? handUp(run, skb, calls, ways) : forward(run, skb, frame, calls, ways)

/** br_pass_frame_up. PREROUTING is not called twice (ip_sabotage_in). */
function handUp(run: Run, skb: Skb, { calls }: Calls, ways: Ways): End {
  skb.up = { prerouted: calls }
  return ways.receive(run, skb)
}

/**
 * It has another destination (br_nf_pre_routing_finish): what is for somebody on the same bridge stays a frame, for whom the host's own neighbour
 * table says (br_nf_pre_routing_finish_bridge); everything else is for the host to route, whomever it was for.
 */
function redirected(run: Run, skb: Skb, frame: Frame, calls: Calls, ways: Ways): End {
  const { bridge, port } = frame
  const { place, packet } = skb
  const before = run.steps.length
  const admission = routeInput(run, skb)
  const decision = admission.kind === 'ok' ? admission.decision : undefined
  if (decision?.kind !== 'out' || decision.device !== bridge.link.name) {
    if (packet.family === 6 && decision?.kind !== 'local' && decision?.kind !== 'out') {
      // “if (skb_dst(skb)->error) kfree_skb”
      if (decision) return { kind: 'dropped', skb, blame: decision.blame }
      throw new Undecided(
        place.label,
        `what ${bridge.link.name} does with packets that are given another destination while ${place.label} does not forward is not modelled`,
      )
    }
    run.steps.length = before
    return handUp(run, skb, calls, ways)
  }
  skb.outDevice = bridge.link.name
  skb.gateway = decision.gateway
  const nextHop = decision.gateway ?? packet.dst
  const target = seek(run, skb, bridge, bridge, undefined, nextHop)
  if (!isFound(target)) return notSent(run, skb, bridge, nextHop, target)
  return forward(run, skb, { ...frame, port, target }, calls, ways)
}

/** br_forward, and FORWARD and POSTROUTING if PREROUTING was called (br_nf_forward, br_nf_post_routing). */
function forward(run: Run, skb: Skb, frame: Frame, calls: Calls, ways: Ways): End {
  const { bridge, port, target } = frame
  const { place, packet } = skb
  if (target.kind === 'host') return handUp(run, skb, calls, ways)
  needUsual(bridge, target.port)
  const refused = mayNotLeave(frame, target)
  if (refused) return { kind: 'dropped', skb, blame: refused }
  const table = passBridge(run, skb, ['prerouting', 'forward', 'postrouting'])
  if (table.kind !== 'pass') return stopped(skb, table, ways)
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'device',
    where: bridge.link.name,
    action: `stays on the bridge${calls.calls ? '' : `, past the rules of ${place.label} (${calls.said})`}`,
    weight: 'changes',
    device: bridge.link.name,
    source: bridge.link.source,
    ...(calls.source && { also: [calls.source] }),
  })
  if (calls.calls) {
    if ((bridge.link.promiscuity ?? 0) > 0)
      throw new Undecided(
        place.label,
        `${bridge.link.name} of ${place.label} is promiscuous: with br_netfilter its host takes frames for others, too`,
      )
    if (hookFunctions(place.host, packet.family, 'FORWARD').some((f) => f.kind === 'ipvs-answer'))
      throw new Undecided(place.label, `what IPVS does with frames of ${bridge.link.name} on ${place.label} is not modelled`)
    skb.outDevice = bridge.link.name
    skb.bridged = { in: port?.name ?? '?', out: target.port?.name ?? '?' }
    for (const hook of ['FORWARD', 'POSTROUTING'] as const) {
      const result = runHook(run, skb, hook)
      if (result.kind !== 'pass') return stopped(skb, result, ways)
    }
    endLeg(run, skb, 'postrouting')
    const long = target.port && refuseFrame(run, skb, bridge.link, target.port)
    if (long) return long
  }
  return deliver(run, skb, { ...frame, target }, ways)
}

/** should_deliver */
function mayNotLeave({ bridge, port, sender }: Frame, target: Exclude<Target, { kind: 'host' }>): Blame | undefined {
  const { place, link } = bridge
  const to = target.port
  const owner = target.kind === 'port' ? target.far.place.id : target.pod
  if (sender === owner) {
    if (!to)
      throw new Undecided(
        place.label,
        `behind which port of ${link.name} on ${place.label} ${owner} is, and whether it is in hairpin mode, is not known`,
      )
    if (!to.port?.hairpin) {
      const entry = `hairpin mode is off on ${to.name}: no frame leaves by the bridge port that it came in by`
      return { place, kind: 'link', entry, source: to.source }
    }
  }
  if (to) return closed(place, to) ?? apart(place, port, to)
  return undefined
}

/** br_dev_queue_push_xmit: what is too long for the port is dropped without a word. */
function deliver(run: Run, skb: Skb, { bridge, target }: Frame & { readonly target: Exclude<Target, { kind: 'host' }> }, ways: Ways): End {
  const { place, packet } = skb
  const { port } = target
  if (port) {
    const shut = closed(place, port)
    if (shut) return { kind: 'dropped', skb, blame: shut }
    const long = refuseToReceive(run, place, port, packet)
    if (long) return { kind: 'dropped', skb, blame: long }
    const egress = runPortHook(run, skb, port.name, 'EGRESS')
    if (egress.kind !== 'pass') return stopped(skb, egress, ways)
    passDevice(place, port.name, 'out')
    skb.outDevice = port.name
  }
  if (target.kind === 'port') {
    const { far } = target
    enterHost(run, far.place)
    if (!far.link.up) return { kind: 'dropped', skb, blame: deviceBlame(far.place, far.link, 'is down') }
    return wire(run, skb, far, `to ${far.place.id}`, ways)
  }
  run.world.lacks.add(target.pod)
  run.assumptions.add(
    'pods without a dump of their own are taken to have their addresses, no rules, and to answer by the way the packet came',
  )
  return { kind: 'beyond', owner: target.pod, packet: skb.packet, via: { place, device: bridge.link.name } }
}

/**
 * A reset for a packet that a bridge has handed to netfilter: it goes straight back by the port, past all tables, so that nothing is translated
 * back (nf_send_reset, nf_send_reset6: “send the RST packet directly”).
 */
export function resetByPort(run: Run, { place, bridged, packet: { src } }: Skb, reset: Packet, ways: Ways): End {
  const port = place.links.get(bridged?.in ?? '')
  const far = port && run.world.peer(place, port)
  const pod = run.world.podsByIp.get(src.text)
  if (!far)
    throw new Undecided(
      place.label,
      `the reset goes straight back by the port of a bridge on ${place.label} that the packet came in by: what is behind it no dump shows${pod ? ` (${pod.namespace}/${pod.name} has none)` : ''}`,
    )
  const skb = newSkb(reset, place, '')
  skb.outDevice = port.name
  const egress = runPortHook(run, skb, port.name, 'EGRESS')
  return egress.kind === 'pass' ? wire(run, skb, far, `to ${far.place.id}`, ways) : stopped(skb, egress, ways)
}
