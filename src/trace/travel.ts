/**
 * The way of one packet from host to host: local output, input, forwarding, and what each device does with it.
 * Straight-line code after net/ipv4/ip_input.c, ip_forward.c, ip_output.c and their IPv6 twins.
 */
import type { Link } from '../kernel/link/types.ts'
import { defaultTtl, hopLimit } from '../kernel/sysctl/effective.ts'
import { timeExceeded } from '../net/icmp-error.ts'
import { sameIp } from '../net/ip.ts'
import type { Packet } from '../net/packet.ts'
import { noCt } from './conntrack/entry.ts'
import { refuseLoopback, routeInput } from './input-routing.ts'
import { beginLeg, endLeg } from './legs.ts'
import { enterFromBeyond, enterFromPod, resetByPort } from './link/bridge.ts'
import { deviceBlame } from './link/neighbours.ts'
import { transmit } from './link/transmit.ts'
import { fragment, refuseToForward, refuseToSend } from './mtu.ts'
import { runDeviceHook } from './netfilter/device-hooks.ts'
import { runHook } from './netfilter/hooks.ts'
import { enterHost, passDevice } from './programs.ts'
import { type Decision, routeOutput } from './routing.ts'
import { type End, type Exit, newSkb, passed, type Run, type SendOptions, type Skb, stopped, type Way, type Ways } from './run.ts'
import type { Blame } from './step.ts'
import { decapsulate } from './tunnel/encapsulation.ts'
import { packedBeyond } from './tunnel/tunnel.ts'
import type { Place } from './world.ts'

/** handed down to whatever leads on from a device or a hook */
const ways: Ways = { sendLocal, receive, output }

/** Sends a packet of a process (or of the kernel) of this host. */
export function sendLocal(run: Run, place: Place, packet: Packet, options: SendOptions = {}): End {
  enterHost(run, place)
  const skb = newSkb(packet, place, '', options.mark ?? 0, options.ct ?? noCt)
  const from = run.steps.length
  if (options.socketOwner) skb.socketOwner = options.socketOwner
  const decision = routeOutput(run, skb, 'route', options)
  if (decision.kind === 'no-way') return { kind: 'errno', errno: decision.errno, blame: decision.blame }
  const refusal = options.socket && refuseToSend(run, skb, decision)
  if (refusal) return refusal
  attachRoute(skb, decision)
  skb.packet = options.ttl === undefined ? withTtl(skb) : { ...packet, ttl: options.ttl }
  return output(run, skb, decision, from)
}

/** __ip_local_out, for a packet that has its route; `from`: the first step that is about it. */
function output(run: Run, skb: Skb, first: Way, from?: number): End {
  beginLeg(run, skb, 'output', from)
  let decision = first
  let refused: Decision | undefined
  // OUTPUT keeps the first route's device for the whole hook, whatever is rewritten meanwhile
  attachRoute(skb, decision)
  const device = skb.outDevice
  const hook = runHook(run, skb, 'OUTPUT', () => {
    const again = routeOutput(run, skb, 'route after the change in OUTPUT')
    if (again.kind === 'no-way') {
      refused = again
      return { kind: 'drop', blame: again.blame }
    }
    decision = again
    skb.outDevice = device
    return { kind: 'pass' }
  })
  if (hook.kind !== 'pass') {
    // ip_route_me_harder fails: the packet is dropped with the lookup's error. A UDP sender hears of it, a SYN is just sent again (tcp_connect)
    if (refused?.kind === 'no-way' && skb.inDevice === '' && skb.packet.proto !== 'tcp')
      return { kind: 'errno', errno: refused.errno, blame: refused.blame }
    return stopped(skb, hook, ways)
  }
  attachRoute(skb, decision)
  return leave(run, skb, decision)
}

/** The host's own first TTL (hop limit by device), where its sysctls tell it. */
function withTtl({ packet, place, outDevice }: Skb): Packet {
  const { sysctls } = place.host
  const set = packet.family === 4 ? defaultTtl(sysctls) : hopLimit(sysctls, outDevice)
  return set === undefined || set.value === packet.ttl ? packet : { ...packet, ttl: set.value }
}

/** More than any TTL allows, unless a rule raises it in every round. */
const maxDepth = 300

/** A packet comes in by a device. */
export function receive(run: Run, skb: Skb): End {
  if (run.depth >= maxDepth) {
    const entry = `the packet goes round without end: its TTL does not run out in ${maxDepth} hosts`
    return { kind: 'dropped', skb, blame: { place: skb.place, kind: 'route', entry } }
  }
  run.depth++
  const end = comeIn(run, skb)
  run.depth--
  return end
}

/** The host does not take the packet, and says nothing. */
function refused(run: Run, skb: Skb, blame: Blame): End {
  run.steps.push({
    kind: 'entry',
    place: skb.place,
    stage: blame.kind === 'sysctl' ? 'sysctl' : 'route',
    where: 'route',
    action: blame.entry,
    weight: 'decides',
    owner: 'kernel',
    ...(blame.source && { source: blame.source }),
  })
  return { kind: 'dropped', skb, blame }
}

function comeIn(run: Run, skb: Skb): End {
  const { place } = skb
  enterHost(run, place)
  const { up } = skb
  const link = place.links.get(skb.inDevice)
  if (link?.kind === 'bridge' && !skb.looped && !up) return enterFromBeyond(run, skb, link, ways)
  delete skb.up
  if (!skb.looped) passDevice(place, skb.inDevice, 'in')
  const ingress = runDeviceHook(run, skb, 'INGRESS')
  if (ingress.kind !== 'pass') return stopped(skb, ingress, ways)
  const stray = skb.looped || up?.prerouted ? undefined : refuseLoopback(skb)
  if (stray) return refused(run, skb, stray)
  if (!up?.prerouted) beginLeg(run, skb, 'prerouting')
  const pre = up?.prerouted ? passed : runHook(run, skb, 'PREROUTING')
  if (pre.kind !== 'pass') return stopped(skb, pre, ways)
  if (skb.looped) {
    // it kept its route over loopback, unless it was given another destination on the way
    return arrive(run, skb)
  }
  const admission = routeInput(run, skb)
  if (admission.kind === 'drop') return refused(run, skb, admission.blame)
  const { decision } = admission
  if (decision.kind === 'local') return arrive(run, skb)
  if (decision.kind === 'no-way') {
    if (place.host.kind === 'external' && run.outsider && sameIp(run.outsider.address, skb.packet.dst)) {
      run.assumptions.add(`${run.outsider.id} has no dump: ${place.label} is taken to know the way back to it`)
      return { kind: 'beyond', owner: run.outsider.id, packet: skb.packet, via: { place, device: skb.inDevice } }
    }
    if (!decision.icmp) return { kind: 'dropped', skb, blame: decision.blame }
    return { kind: 'complaint', skb, error: decision.icmp, blame: decision.blame }
  }
  return forward(run, skb, decision)
}

/** An answer from where no dump is: it enters by the device that the request left by, in the same tunnel if there was one. */
export function comeBack(run: Run, exit: Exit, packet: Packet): End {
  const { place, device, outer } = exit
  const pod = outer ? undefined : run.world.podsByIp.get(packet.src.text)
  if (pod && pod.node === place.host.name) return comeFromPod(run, place, device, `pod/${pod.namespace}/${pod.name}`, packet)
  return receive(run, newSkb(exit.outer ? packedBeyond(exit.outer, packet) : packet, exit.place, exit.device))
}

/** A pod without a dump of its own sends a packet: it comes in by the device that leads to the pod. */
export function comeFromPod(run: Run, place: Place, device: string, pod: string, packet: Packet): End {
  const link = place.links.get(device)
  if (link?.kind === 'bridge') return enterFromPod(run, { place, link }, pod, packet, ways)
  return receive(run, newSkb(packet, place, device))
}

/** A rule's reset for a packet that came in by a bridge's port. */
export const resetBehind = (run: Run, skb: Skb, reset: Packet): End => resetByPort(run, skb, reset, ways)

/** ip_local_deliver */
function arrive(run: Run, skb: Skb): End {
  const hook = runHook(run, skb, 'INPUT')
  if (hook.kind !== 'pass') return stopped(skb, hook, ways)
  endLeg(run, skb, 'input')
  return decapsulate(run, skb, ways)
}

/** ip_forward: TTL and size are checked before the FORWARD hook. */
function forward(run: Run, skb: Skb, first: Extract<Decision, { kind: 'out' }>): End {
  let decision: Way = first
  attachRoute(skb, decision)
  if (skb.packet.ttl <= 1) {
    const blame: Blame = { place: skb.place, kind: 'route', entry: `routing loop: ${first.route.text}`, source: first.route.source }
    return { kind: 'complaint', skb, error: timeExceeded(skb.packet.family), blame }
  }
  const refusal = refuseToForward(run, skb, decision)
  if (refusal) return refusal
  skb.packet = { ...skb.packet, ttl: skb.packet.ttl - 1 }
  const hook = runHook(run, skb, 'FORWARD', () => {
    const again = routeOutput(run, skb, 'route of the answer')
    if (again.kind === 'no-way') return { kind: 'drop', blame: again.blame }
    decision = again
    return { kind: 'pass' }
  })
  if (hook.kind !== 'pass') return stopped(skb, hook, ways)
  attachRoute(skb, decision)
  return leave(run, skb, decision)
}

/** ip_output: POSTROUTING, then the device. */
function leave(run: Run, skb: Skb, decision: Way): End {
  const { place } = skb
  const link = place.links.get(skb.outDevice)
  const hook = runHook(run, skb, 'POSTROUTING')
  if (hook.kind !== 'pass') return stopped(skb, hook, ways)
  endLeg(run, skb, 'postrouting')
  const egress = runDeviceHook(run, skb, 'EGRESS')
  if (egress.kind !== 'pass') return stopped(skb, egress, ways)
  if (decision.kind === 'local' || link?.kind === 'loopback') {
    skb.inDevice = skb.outDevice
    skb.outDevice = ''
    skb.looped = true
    return receive(run, skb)
  }
  const refusal = fragment(run, skb, decision)
  if (refusal) return refusal
  if (link && !link.up) return { kind: 'dropped', skb, blame: deviceBlame(place, link, 'is down') }
  return transmit(run, skb, decision, ways)
}

function attachRoute(skb: Skb, decision: Decision): void {
  if (decision.kind === 'no-way') return
  skb.outDevice = decision.kind === 'local' ? loopback(skb.place) : decision.device
  skb.gateway = decision.kind === 'out' ? decision.gateway : undefined
}

const loopback = (place: Place): string => [...place.links.values()].find((l: Link) => l.kind === 'loopback')?.name ?? 'lo'
