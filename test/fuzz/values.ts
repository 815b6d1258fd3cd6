/** Where random rules take their values from: the packets that will be sent, and what they may become. */
import type { Random } from '../kernel/random.ts'
import type { Probe } from './scenario.ts'
import type { SetName, Values } from './sets.ts'
import { closedPort, type Draft, type Net, tcpPorts, udpPorts } from './topology.ts'

/** Everything that a generator of rules for one host needs. */
export interface Pool extends Values {
  readonly r: Random
  readonly net: Net
  readonly space: Draft
  readonly sets: readonly SetName[]
  /** whether rules may choose at random */
  readonly random: boolean
  readonly not: () => string
  /** a port that packets are sent to */
  port(): number
  /** where NAT may send packets to */
  backend(): string
}

export const marks = ['0x1', '0x2', '0x3', '0x10'] as const

/** values and masks to set, each of some bits of which others have some too; and to test, of fewer */
export const bits = ['0x1/0x1', '0x3/0x3', '0x2/0x3', '0x10/0xf0', '0x11/0x11', '0x12/0x12', '0x13/0xff', '0x3/0xffffffff'] as const
export const tests = ['0x1/0x1', '0x1/0x1', '0x2/0x2', '0x2/0x3', '0x3/0x3', '0x10/0x10', '0x10/0xf1', '0x12/0xff'] as const

export function makePool(r: Random, net: Net, space: Draft, probes: readonly Probe[], random: boolean): Omit<Pool, 'sets'> {
  const hosts = net.spaces.filter((s) => s.kind !== 'wire' && s.addresses.length > 0)
  const pods = hosts.filter((s) => s.kind === 'pod')
  const addresses = [...hosts.flatMap((s) => s.addresses), ...net.services, ...net.nobody]
  const pool = {
    r,
    net,
    space,
    random,
    not: () => (r.chance(0.12) ? '! ' : ''),
    probe: () => r.pick(probes),
    sourceOf: (p: Probe) => p.source ?? r.pick(hosts.find((s) => s.name === p.from)?.addresses ?? addresses),
    address: () => r.pick(addresses),
    prefix: () => (r.chance(0.5) ? r.pick(net.prefixes) : `${r.pick(addresses)}/${net.family === 4 ? 32 : 128}`),
    device: () => r.pick(space.devices.length > 0 ? space.devices : ['eth0']),
    mark: () => r.pick(marks),
    port: () => (r.chance(0.1) ? closedPort : r.pick([...tcpPorts, ...udpPorts])),
    backend: () => r.pick(r.chance(0.8) && pods.length > 0 ? r.pick(pods).addresses : r.pick(hosts).addresses),
  }
  return pool
}
