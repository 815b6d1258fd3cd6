/** A scenario for the emulated kernel from a seed: the network of the host's fuzz, with IPVS, IPIP and WireGuard on its nodes. */
import { makeIptables } from '../fuzz/iptables.ts'
import { makeProbes } from '../fuzz/probes.ts'
import { addRoutes, addSettings } from '../fuzz/routes.ts'
import type { Probe, Scenario, Space } from '../fuzz/scenario.ts'
import { makeSets } from '../fuzz/sets.ts'
import { type Draft, type Family, finish, makeNet, type Net } from '../fuzz/topology.ts'
import { makePool } from '../fuzz/values.ts'
import { makeRandom, type Random } from '../kernel/random.ts'
import { addServices, ipvsRules, kubeRules, type Services } from './services.ts'
import { addIpip, addWireguard, type Extra } from './tunnels.ts'

export function makeVmScenario(seed: number, probes: number, onlyFamily?: Family): Scenario {
  const r = makeRandom(seed)
  const family = onlyFamily ?? r.pick([4, 4, 6] as const)
  const net = makeNet(r, family)
  keepApart(net)
  const nodes = net.spaces.filter((s) => s.kind === 'node')
  const extras = addTunnel(r, net, nodes)
  for (const node of nodes) if (node.devices.includes('eth0') && r.chance(0.1)) node.ip.push(`link set eth0 mtu ${r.pick([1400, 1450])}`)
  const services = new Map<string, Services>()
  for (const node of nodes) if (r.chance(0.75)) services.set(node.name, addServices(r, net, node))
  const random = r.chance(0.15)
  const draw = makeVmProbes(r, net, [...services.values()], random ? Math.ceil(probes / 3) : probes, !random)
  let nominal = [...services.values()].some((s) => s.nominal)
  for (const space of net.spaces)
    if (space.kind !== 'wire') nominal = addRules(r, net, space, draw, random, services.get(space.name)) || nominal
  const times = random ? 12 : 1
  const scenario = finish(
    net,
    `vm-${seed}`,
    draw.map((p) => ({ ...p, times })),
    nominal,
  )
  return {
    ...scenario,
    spaces: Object.fromEntries(
      Object.entries(scenario.spaces).map(([name, s]) => [name, complete(s, services.get(name), extras.get(name))]),
    ),
  }
}

/** No prefix is on both segments: no dump shows the switches, so hosts that share a prefix are taken to share a segment. */
function keepApart(net: Net): void {
  for (const space of net.spaces) {
    for (const [at, line] of [...space.ip.entries()].reverse()) {
      const address = /^addr add ((?:192\.168\.50\.|fd50::)[^/]+)\/\d+ dev (?:eth1|br1)\b/.exec(line)?.[1]
      if (address === undefined) continue
      space.ip.splice(at, 1)
      space.addresses.splice(space.addresses.indexOf(address), 1)
    }
  }
}

const complete = (space: Space, services: Services | undefined, extra: Extra | undefined): Space => ({
  ...space,
  ...(services && services.ipvsadm.length > 0 && { ipvsadm: services.ipvsadm }),
  ...(extra && { commands: [{ argv: ['sh', '-e'], input: extra.join('\n') }] }),
})

function addTunnel(r: Random, net: Net, nodes: readonly Draft[]): ReadonlyMap<string, Extra> {
  const [a, b] = nodes
  if (!a || !b || a.addresses.length === 0 || b.addresses.length === 0) return new Map()
  const kind = r.pick(net.family === 4 ? (['ipip', 'ipip', 'wireguard', 'none'] as const) : (['wireguard', 'none'] as const))
  if (kind === 'ipip') addIpip(r, net, [a, b])
  return kind === 'wireguard' ? addWireguard(r, net, [a, b]) : new Map()
}

/** Half of the packets go to services; some from a port of their own, which hashes of schedulers take in. */
function makeVmProbes(r: Random, net: Net, services: readonly Services[], count: number, bound: boolean): readonly Probe[] {
  const targets = services.flatMap((s) => s.targets)
  const hosts = net.spaces.filter((s) => s.kind !== 'wire')
  const half = targets.length > 0 ? count >> 1 : 0
  const out = new Map<string, Probe>()
  for (let i = 0; i < half; i++) {
    const from = r.pick(hosts)
    const target = r.pick(targets)
    const probe: Probe = {
      from: from.name,
      ...target,
      ...(bound && r.chance(0.4) && { sport: 20000 + i }),
      times: 1,
      ...(target.proto === 'udp' && sized(r, bound)),
    }
    out.set(JSON.stringify({ ...probe, sport: 0 }), probe)
  }
  for (const probe of makeProbes(r, net, count - half, 1)) {
    const made = probe.proto === 'udp' ? { ...probe, ...sized(r, bound) } : probe
    out.set(JSON.stringify({ ...made, sport: 0 }), made)
  }
  return [...out.values()]
}

/** Bytes of data around what tunnels take, now and then. What a host has learnt of a path it keeps in mind: such packets are sent once. */
const sized = (r: Random, once: boolean) =>
  once && r.chance(0.06) ? { payload: r.pick([1352, 1353, 1372, 1373, 1392, 1393, 1452, 1453, 1472]) } : {}

/** Routes, settings, sets and tables of one host; true if shares are nominal. */
function addRules(r: Random, net: Net, space: Draft, draw: readonly Probe[], random: boolean, services: Services | undefined): boolean {
  const pool = makePool(r, net, space, draw, random)
  const nominal = r.chance(0.4) && addRoutes(pool, space)
  if (r.chance(0.5)) addSettings(r, net, space)
  const { lines, sets } = makeSets(r, net, pool, true)
  const busy = space.kind === 'node' ? 0.6 : 0.1
  const tables: (readonly string[])[] = []
  if (services && services.targets.length > 0) {
    // kube-proxy switches it on; without, an answer of the server is a new connection for its REJECT, but only from the first data on
    if (r.chance(0.6) && space.sysctl.includes('net.ipv4.vs.conntrack=1')) {
      const kube = kubeRules(r, net, space, services)
      space.ipset.push(...kube.sets)
      tables.push(kube.tables)
    }
    tables.push(ipvsRules(r, net, services))
  }
  if (r.chance(busy)) {
    space.ipset.push(...lines)
    tables.push(makeIptables({ ...pool, sets }))
  }
  const rules = mergeTables(tables)
  if (rules.length > 0) (r.chance(0.5) ? space.iptablesLegacy : space.iptablesNft).push(...rules)
  return nominal
}

/** Inputs of iptables-restore as one, since each would empty the tables it names. */
function mergeTables(inputs: readonly (readonly string[])[]): readonly string[] {
  const tables = new Map<string, { readonly heads: Map<string, string>; readonly rules: string[] }>()
  for (const input of inputs) {
    let table: { readonly heads: Map<string, string>; readonly rules: string[] } | undefined
    for (const line of input) {
      if (line.startsWith('*')) {
        table = tables.get(line) ?? { heads: new Map(), rules: [] }
        tables.set(line, table)
      } else if (line.startsWith(':')) table?.heads.set(line.split(' ')[0] as string, line)
      else if (line !== 'COMMIT') table?.rules.push(line)
    }
  }
  return [...tables].flatMap(([name, { heads, rules }]) => [name, ...heads.values(), ...rules, 'COMMIT'])
}
