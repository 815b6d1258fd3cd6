/** The packets of a scenario, drawn first: rules are then made of their addresses and ports, so that they meet. */
import type { Random } from '../kernel/random.ts'
import type { Probe } from './scenario.ts'
import { closedPort, type Draft, type Net, tcpPorts, udpPorts } from './topology.ts'

export function makeProbes(r: Random, net: Net, count: number, times: number): readonly Probe[] {
  const hosts = net.spaces.filter((s) => s.kind !== 'wire')
  const probes = new Map<string, Probe>()
  for (let i = 0; i < count * 3 && probes.size < count; i++) {
    const probe = makeProbe(r, net, hosts, times)
    probes.set(JSON.stringify(probe), probe)
  }
  return [...probes.values()]
}

function makeProbe(r: Random, net: Net, hosts: readonly Draft[], times: number): Probe {
  const from = r.pick(hosts)
  const proto = r.pick(['tcp', 'tcp', 'tcp', 'udp', 'udp', 'icmp'] as const)
  const port = r.chance(0.07) ? closedPort : r.pick(proto === 'tcp' ? tcpPorts : udpPorts)
  // an address that is on the host by a link's own prefix only can't be bound to when it is link-local
  const source = r.chance(0.15) && from.addresses.length > 1 ? r.pick(from.addresses) : undefined
  return {
    from: from.name,
    proto,
    dst: destination(r, net, hosts, from),
    ...(proto !== 'icmp' && { port }),
    ...(source !== undefined && { source }),
    times,
  }
}

function destination(r: Random, net: Net, hosts: readonly Draft[], from: Draft): string {
  const dice = r.below(100)
  const others = hosts.filter((h) => h !== from && h.addresses.length > 0)
  if (dice < 24 || others.length === 0) return r.pick(net.services)
  if (dice < 29 && from.addresses.length > 0) return r.chance(0.3) ? (net.family === 4 ? '127.0.0.1' : '::1') : r.pick(from.addresses)
  if (dice < 34) return r.pick(net.nobody)
  return r.pick(r.pick(others).addresses)
}
