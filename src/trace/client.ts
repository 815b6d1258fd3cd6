/** Who sends, and how its packets get into the dumped part of the world. */
import { isWaiting } from '../cluster/lookup.ts'
import { isTunnel } from '../kernel/link/types.ts'
import { type Family, type Ip, parseIp } from '../net/ip.ts'
import { type Packet, port } from '../net/packet.ts'
import { assumeDown, type Down, downBlame, isDown } from './down.ts'
import { enterHost } from './programs.ts'
import { chooseSource, route } from './routing.ts'
import { type End, newSkb, type Run, Undecided } from './run.ts'
import type { Blame } from './step.ts'
import { comeFromPod, receive, sendLocal } from './travel.ts'
import type { Flow } from './types.ts'
import { assumedRoute, lackNodes, type Place, type World } from './world.ts'

/** Who sends the request, from which address, and how its packets start. */
export interface Client {
  /** the host that the client is on; for one without a dump, where its packets enter */
  readonly place: Place
  /** `external/203.0.113.9`: it has no dump */
  readonly undumped?: string
  readonly source: Ip
  /** its socket is bound to no address: a ping's answer is taken under any of the host (raw_v4_match, rawv6) */
  readonly anyAddress?: boolean
  send(run: Run, packet: Packet): End
}

/** The client, or why it can't even send. */
export type ClientChoice =
  | { readonly kind: 'client'; readonly client: Client }
  | { readonly kind: 'errno'; readonly errno: string; readonly blame: Blame }

/** The client of a flow with the source address that its kernel would choose. */
export function clientOf(run: Run, flow: Flow, dst: Ip): ClientChoice {
  const { world } = run
  const id = `${flow.from.kind}/${flow.from.name ?? ''}`
  const off = nodeOff(world, id)
  if (off) return nowhere(run, id, dst, off)
  const guest = world.snapshot.cluster.pods.find((p) => p.hostNetwork && flow.from.kind === 'pod' && `pod/${p.namespace}/${p.name}` === id)
  // a pod on the host's network is a process of the node
  const place = world.places.get(guest ? `node/${guest.node}` : id)
  if (place?.host.links) return here(run, flow, place, dst)
  if (guest) world.lacks.add(`node/${guest.node}`)
  if (flow.from.kind === 'node') {
    if (!place) world.lacks.add(id)
    enterHost(run, { id, label: flow.from.name ?? 'node' })
    const what = place ? `${place.host.dir}/ip-addr.json is missing` : `${id} has no dump`
    throw new Undecided(flow.from.name ?? 'node', `${what}: how ${place?.label ?? 'it'} sends is not known`)
  }
  if (flow.from.kind === 'pod') return podWithoutDump(run, flow, dst, id)
  return outsider(run, flow, dst)
}

/** The node that is off, if the client is on it: it sends nothing. */
function nodeOff({ snapshot, down }: World, id: string): Down | undefined {
  const pod = snapshot.down && snapshot.cluster.pods.find((p) => `pod/${p.namespace}/${p.name}` === id)
  if (!isDown(snapshot, id, pod)) return undefined
  const label = pod?.node ?? id.slice('node/'.length)
  return { label, place: [...down.values()].find((d) => d.label === label)?.place }
}

function here(run: Run, flow: Flow, place: Place, dst: Ip): ClientChoice {
  const forced = flow.source === undefined ? undefined : parseIp(flow.source)
  const client = (source: Ip, unbound = false): ClientChoice => ({
    kind: 'client',
    client: {
      place,
      source,
      anyAddress: forced === undefined,
      send: (r, packet) => sendLocal(r, place, packet, { socket: true, unbound }),
    },
  })
  // whatever address is forced is sent from, its own or not: that is how one sees what stops a spoofed source
  if (forced) return client(forced)
  // a program may translate what a process asks for before there is a packet (cgroup/connect4)
  enterHost(run, place)
  const proto: Packet['proto'] = flow.proto === 'icmp' && dst.family === 6 ? 'icmpv6' : flow.proto
  const packet = {
    proto,
    ...(flow.sourcePort !== undefined && { sport: port(flow.sourcePort) }),
    ...(flow.port !== undefined && { dport: port(flow.port) }),
  }
  const choice = chooseSource(run, place, dst, { record: false, packet })
  if (choice.kind === 'no-way') return { kind: 'errno', errno: choice.errno, blame: choice.blame }
  // ip_route_connect looks again with the source that it found; ip6_dst_lookup_tail and raw_sendmsg keep what they have
  return client(choice.src, !choice.bound && (dst.family === 6 || flow.proto === 'icmp'))
}

/** A pod whose own namespace was not dumped: its packets come in by the device that leads to it. */
function podWithoutDump(run: Run, flow: Flow, dst: Ip, id: string): ClientChoice {
  const pod = run.world.snapshot.cluster.pods.find((p) => `pod/${p.namespace}/${p.name}` === id)
  if (!pod) throw new Undecided(id, `${id} is not in the snapshot`)
  const node = pod.node === undefined ? undefined : run.world.places.get(`node/${pod.node}`)
  if (pod.node === undefined || isWaiting(pod))
    throw new Undecided(id, `${id} ${pod.node === undefined ? 'is on no node' : 'has no address'} yet: it sends nothing`)
  if (!pod.hostNetwork) run.world.lacks.add(id)
  if (!node) {
    run.world.lacks.add(`node/${pod.node}`)
    enterHost(run, { id: `node/${pod.node}`, label: pod.node })
    throw new Undecided(pod.node, `${id} runs on ${pod.node}, which has no dump`)
  }
  enterHost(run, node)
  const source = addressOf(pod.ips, dst.family, flow)
  if (!source) return noAddress(node, id, dst.family)
  const way = route(run, node, { family: dst.family, dst: source, mark: 0, iif: 'lo' }, 'route', false)
  if (way.kind !== 'out') throw new Undecided(node.label, `${node.label} has no route to ${id}, which has no dump of its own`)
  run.assumptions.add(
    'pods without a dump of their own are taken to have their addresses, no rules, and to answer by the way the packet came',
  )
  const { device } = way
  const send = (r: Run, packet: Packet) => comeFromPod(r, node, device, id, { ...packet, ttl: packet.ttl - 1 })
  return { kind: 'client', client: { place: node, undumped: id, source, send } }
}

const addressOf = (ips: readonly Ip[], family: Family, flow: Flow): Ip | undefined =>
  (flow.source === undefined ? undefined : parseIp(flow.source)) ?? ips.find((ip) => ip.family === family)

const noAddress = (place: Place, id: string, family: Family): ClientChoice => ({
  kind: 'errno',
  errno: 'ENETUNREACH',
  blame: { place, kind: 'missing-route', entry: `${id} has no IPv${family} address` },
})

const entering = (place: Place, device: string, source: Ip, id: string): ClientChoice => ({
  kind: 'client',
  client: { place, undumped: id, source, send: (run, packet) => receive(run, newSkb({ ...packet, ttl: packet.ttl - 1 }, place, device)) },
})

/** An outside client without a dump enters by the node that owns the destination; a load balancer address by whom the underlay routes it to. */
function outsider(run: Run, flow: Flow, dst: Ip): ClientChoice {
  const own = [flow.source, flow.from.ip, flow.from.ip6].flatMap((a) => {
    const ip = a === undefined ? undefined : parseIp(a)
    return ip && ip.family === dst.family ? [ip] : []
  })[0]
  const id = `external/${flow.from.name ?? own?.text ?? ''}`
  if (!own) throw new Undecided(id, `the outside client ${flow.from.name ?? ''} has no IPv${dst.family} address in the snapshot`)
  run.outsider = { id, address: own }
  const down = enteredBy(run, flow, dst)
  if (down) return nowhere(run, id, own, down)
  const at = entryPoint(run, flow, dst)
  if (at.kind === 'undumped') {
    run.world.lacks.add(at.id)
    enterHost(run, { id: at.id, label: at.id })
    throw new Undecided(at.id, `${at.id} has no dump: what it does with ${dst.text} is not known`)
  }
  return entering(at.place, at.device, own, id)
}

/** The node that is off, by which the packets would have come in. A router that was dumped says itself what it does with them. */
function enteredBy(run: Run, { entryNode }: Flow, dst: Ip): Down | undefined {
  const { snapshot, down } = run.world
  const said = entryNode === undefined ? assumedRoute(run.world, dst) : `node/${entryNode}`
  if (said !== undefined && snapshot.down?.has(said)) return [...down.values()].find((d) => `node/${d.label}` === said)
  return entryNode === undefined && down.has(dst.text) && !routerTo(run, dst) ? down.get(dst.text) : undefined
}

/** A client on a node that is off, or one outside whose packets go there. */
function nowhere(run: Run, id: string, source: Ip, down: Down): ClientChoice {
  assumeDown(run, down)
  const place = down.place ?? [...run.world.places.values()][0]
  if (!place) throw new Undecided(down.label, `${down.label} is supposed to be down`)
  const blame = downBlame(down, place)
  const send = (r: Run, packet: Packet): End => {
    r.steps.push({ kind: 'entry', place, stage: 'drop', where: 'node', action: blame.entry, weight: 'decides', owner: 'kernel' })
    return { kind: 'dropped', skb: newSkb(packet, place, ''), blame }
  }
  return { kind: 'client', client: { place, undumped: id, source, send } }
}

type Entry = { readonly kind: 'at'; readonly place: Place; readonly device: string } | { readonly kind: 'undumped'; readonly id: string }

function entryPoint(run: Run, flow: Flow, dst: Ip): Entry {
  const { world } = run
  const uplink = (place: Place, address?: Ip): Entry => {
    const own = address && place.addresses.get(address.text)
    const links = [...place.links.values()].filter((l) => l.up && l.kind !== 'loopback' && !isTunnel(l))
    const byDefault = (place.host.routes[dst.family] ?? []).find((r) => r.type === 'unicast' && r.dst.length === 0)?.nexthops[0]?.device
    const device =
      own && own.kind !== 'loopback' ? own.name : (byDefault ?? links.find((l) => l.addresses.some((a) => a.scope === 'global'))?.name)
    if (!device) throw new Undecided(place.label, `${place.label} has no uplink that outside packets could enter by`)
    return { kind: 'at', place, device }
  }
  const named = (id: string): Entry => {
    const place = world.places.get(id)
    return place ? uplink(place) : { kind: 'undumped', id }
  }
  if (flow.entryNode !== undefined) return named(`node/${flow.entryNode}`)
  const owner = world.owners(dst).find((p) => p.host.kind === 'node') ?? world.owners(dst)[0]
  if (owner) return uplink(owner, dst)
  const undumped = world.undumpedNodes.get(dst.text)
  if (undumped) return { kind: 'undumped', id: undumped }
  const routed = assumedRoute(world, dst)
  if (routed) return named(routed)
  const router = routerTo(run, dst)
  if (router) return uplink(router)
  const lacking = lackNodes(world)
  const dumped = [...world.places.values()].filter((p) => p.host.kind === 'node')
  if (dumped.length === 0) throw new Undecided('underlay', 'the snapshot has no node')
  const nodes = [...dumped, ...lacking]
  run.assumptions.add(
    `which node packets to ${dst.text} enter by is not known: each is followed with equal weight (--entry-node says which)`,
  )
  const weights = nodes.map(() => 1 / nodes.length)
  const chosen = nodes[run.choices.pick(weights, 'node that the outside packet enters by')] as Place | string
  return typeof chosen === 'string' ? { kind: 'undumped', id: chosen } : uplink(chosen)
}

const routerTo = (run: Run, dst: Ip): Place | undefined =>
  [...run.world.places.values()].find((p) => p.host.kind === 'external' && leadsToNode(run, p, dst))

/** Does this router of the underlay send the address to a node by a route of its own? */
function leadsToNode(run: Run, place: Place, dst: Ip): boolean {
  const way = route(run, place, { family: dst.family, dst, mark: 0, iif: 'lo' }, 'route', false)
  if (way.kind !== 'out' || way.route.dst.length === 0) return false
  const next = way.gateway ?? dst
  return run.world.down.has(next.text) || run.world.owners(next).some((p) => p.host.kind === 'node')
}
