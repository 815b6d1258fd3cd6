/** Random ipsets over the addresses and ports that packets have. */
import type { Random } from '../kernel/random.ts'
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
    lines.push(`create ${name} ${type}${options(r, net, type)}`)
    const members = new Set(
      Array.from({ length: r.below(6) }, () => (type === 'list:set' ? r.pick(others)[0] : member(r, type, net, values))),
    )
    for (const m of members) {
      const nomatch = type.startsWith('hash:') && type.includes('net') && r.chance(0.25)
      lines.push(`add ${name} ${m}${nomatch ? ' nomatch' : ''} -exist`)
    }
    sets.push([name, type])
  }
  return { lines, sets }
}

function options(r: Random, net: Net, type: string): string {
  if (type === 'list:set') return ''
  if (type === 'bitmap:port') return ' range 0-10000'
  if (type === 'bitmap:ip') return ' range 10.244.0.0/16'
  const family = ` family ${net.family === 4 ? 'inet' : 'inet6'}`
  return `${family}${type === 'hash:ip' && r.chance(0.2) ? ` netmask ${net.family === 4 ? 24 : 64}` : ''}`
}

function member(r: Random, type: string, net: Net, values: Values): string {
  if (type === 'bitmap:port') return String(r.pick([...tcpPorts, closedPort]))
  if (type === 'bitmap:ip') return `10.244.${r.pick([1, 2])}.${r.pick([2, 3, 102])}`
  return type
    .slice(type.indexOf(':') + 1)
    .split(',')
    .map((d) => {
      if (d === 'ip') return values.address()
      if (d === 'net') return values.prefix()
      if (d === 'mark') return values.mark()
      if (d === 'iface') return values.device()
      return r.pick([
        `tcp:${r.pick(tcpPorts)}`,
        `tcp:${r.pick(tcpPorts)}`,
        `udp:${r.pick(udpPorts)}`,
        net.family === 4 ? 'icmp:8/0' : 'icmpv6:128/0',
      ])
    })
    .join(',')
}
