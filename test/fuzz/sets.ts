/** Random ipsets over the addresses and ports that packets have. */
import type { Random } from '../kernel/random.ts'
import type { Probe } from './scenario.ts'
import { closedPort, type Net, tcpPorts, udpPorts } from './topology.ts'

const types = [
  'hash:ip',
  'hash:ip',
  'hash:net',
  'hash:net',
  'hash:ip,port',
  'hash:net,port',
  'hash:ip,port,ip',
  'hash:ip,port,net',
  'hash:net,iface',
  'bitmap:port',
  'bitmap:ip',
  'list:set',
] as const
/** types that not every kernel has, as a virtual machine's */
const rare = ['hash:net,net', 'hash:net,port,net', 'hash:ip,mark'] as const

/** name and type, as rules refer to it */
export type SetName = readonly [name: string, type: string]

export interface Values {
  /** a packet that will be sent */
  probe(): Probe
  /** an address that a probe's sender has */
  sourceOf(p: Probe): string
  /** an address that packets have */
  address(): string
  /** a prefix that some of them are in, normalized */
  prefix(): string
  device(): string
  mark(): string
}

export function makeSets(
  r: Random,
  net: Net,
  values: Values,
  all: boolean,
): { readonly lines: readonly string[]; readonly sets: readonly SetName[] } {
  const lines: string[] = []
  const sets: SetName[] = []
  for (let i = r.pick([0, 1, 2, 3, 4]); i > 0; i--) {
    const type = r.pick(all ? [...types, ...rare] : types)
    if (type === 'bitmap:ip' && net.family === 6) continue
    const others = sets.filter(([, t]) => t !== 'list:set' && t !== 'bitmap:port' && t !== 'bitmap:ip')
    if (type === 'list:set' && others.length === 0) continue
    const name = `s${sets.length}`
    lines.push(...makeSet(r, net, values, [name, type], r.below(6), () => r.pick(others)[0]))
    sets.push([name, type])
  }
  return { lines, sets }
}

/** One set of at most `count` members; `other` names a set for a list to have. */
export function makeSet(r: Random, net: Net, values: Values, [name, type]: SetName, count: number, other = () => ''): readonly string[] {
  const lines = [`create ${name} ${type}${options(r, net, type)}`]
  const members = new Set(Array.from({ length: count }, () => (type === 'list:set' ? other() : member(r, type, net, values))))
  for (const m of members) {
    const nomatch = type.startsWith('hash:') && type.includes('net') && r.chance(0.4)
    lines.push(`add ${name} ${m}${nomatch ? ' nomatch' : ''} -exist`)
  }
  return lines
}

function options(r: Random, net: Net, type: string): string {
  if (type === 'list:set') return ''
  if (type === 'bitmap:port') return ' range 0-10000'
  if (type === 'bitmap:ip') return ' range 10.244.0.0/16'
  const family = ` family ${net.family === 4 ? 'inet' : 'inet6'}`
  return `${family}${type === 'hash:ip' && r.chance(0.2) ? ` netmask ${net.family === 4 ? 24 : 64}` : ''}`
}

/** Of addresses and ports at random, or of those of one packet; the port then may be the same of the other protocol. */
function member(r: Random, type: string, net: Net, values: Values): string {
  const drawn = r.chance(0.7) ? values.probe() : undefined
  // under a netmask nothing is left of it, which no set can have
  const probe = drawn?.dst === '::1' ? undefined : drawn
  const address = (at: number) => (probe === undefined ? values.address() : at === 0 && r.chance(0.7) ? probe.dst : values.sourceOf(probe))
  if (type === 'bitmap:port') return String(r.pick([...tcpPorts, closedPort]))
  if (type === 'bitmap:ip') return `10.244.${r.pick([1, 2])}.${r.pick([2, 3, 102])}`
  return type
    .slice(type.indexOf(':') + 1)
    .split(',')
    .map((d, i) => {
      if (d === 'ip') return address(i)
      if (d === 'net') return probe && r.chance(0.7) ? `${address(i)}/${net.family === 4 ? 32 : 128}` : values.prefix()
      if (d === 'mark') return values.mark()
      if (d === 'iface') return values.device()
      if (probe?.port !== undefined) return `${r.chance(0.5) ? probe.proto : probe.proto === 'tcp' ? 'udp' : 'tcp'}:${probe.port}`
      return r.pick([
        `tcp:${r.pick(tcpPorts)}`,
        `tcp:${r.pick(tcpPorts)}`,
        `udp:${r.pick(udpPorts)}`,
        net.family === 4 ? 'icmp:8/0' : 'icmpv6:128/0',
      ])
    })
    .join(',')
}
