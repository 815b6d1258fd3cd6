/** Random sets of every type over few addresses and ports, so that random packets meet them. */
import type { Family } from '../../src/net/ip.ts'
import type { Random } from './random.ts'

export const hosts = (family: Family): readonly string[] =>
  [0, 1].flatMap((net) => [1, 2, 5, 6].map((host) => (family === 4 ? `127.0.${net}.${host}` : `fd00::${net}:${host}`)))

export const ports = [80, 81, 1000, 1001]

export const types = [
  'hash:ip',
  'hash:net',
  'hash:ip,port',
  'hash:net,port',
  'hash:ip,port,ip',
  'hash:ip,port,net',
  'hash:net,net',
  'hash:net,port,net',
  'hash:net,iface',
  'hash:ip,mark',
  'bitmap:port',
  'bitmap:ip',
] as const

function network(random: Random, family: Family): string {
  const host = random.pick(hosts(family))
  if (family === 6) {
    const length = random.pick([128, 127, 126, 112, 96, 64])
    const [, net, last] = /^fd00::(\d+):(\d+)$/.exec(host) as unknown as [string, string, string]
    if (length >= 126) return `fd00::${net}:${Number(last) & ~((1 << (128 - length)) - 1)}/${length}`
    return length === 112 ? `fd00::${net}:0/112` : `fd00::/${length}`
  }
  // ipset itself cuts the host bits off
  return `${host}/${random.pick([32, 31, 30, 24, 16, 8])}`
}

function port(random: Random, family: Family): string {
  const proto = random.pick(['tcp', 'tcp', 'udp', 'udp', 'sctp', 'icmp', 'gre'])
  if (proto === 'icmp')
    return family === 4 ? random.pick(['icmp:echo-request', 'icmp:13/0', 'icmp:0/0']) : random.pick(['icmpv6:echo-request', 'icmpv6:200/1'])
  return proto === 'gre' ? 'gre:0' : `${proto}:${random.pick(ports)}`
}

function element(random: Random, type: string, family: Family): string {
  if (type === 'bitmap:port') return String(random.pick([...ports, 2048]))
  const dimensions = type.slice(type.indexOf(':') + 1).split(',')
  return dimensions
    .map((d) => {
      if (d === 'ip') return random.pick(hosts(family))
      if (d === 'net') return network(random, family)
      if (d === 'port') return port(random, family)
      return d === 'mark' ? random.pick(['0x3', '0x5', '0x80000001']) : random.pick(['lo', 'lo', 'eth9', 'l wildcard', 'physdev:lo'])
    })
    .join(',')
}

/** Lines for `ipset restore`: one set of each type that the family has, and a list of some. */
export function randomSets(
  random: Random,
  family: Family,
): { readonly lines: readonly string[]; readonly names: readonly (readonly [string, string])[] } {
  const lines: string[] = []
  const names: [string, string][] = []
  for (const type of types) {
    if (family === 6 && type === 'bitmap:ip') continue
    const name = `s${names.length}`
    names.push([name, type])
    const masked = type === 'hash:ip' && random.chance(0.3)
    const options =
      type === 'bitmap:port'
        ? 'range 0-65535'
        : type === 'bitmap:ip'
          ? 'range 127.0.0.0/16'
          : `family ${family === 4 ? 'inet' : 'inet6'}${masked ? ` netmask ${family === 4 ? 30 : 126}` : ''}`
    lines.push(`create ${name} ${type} ${options}`)
    for (let i = 1 + random.below(6); i > 0; i--) {
      const nomatch = type.startsWith('hash:') && type.includes('net') && random.chance(0.3)
      lines.push(`add ${name} ${element(random, type, family)}${nomatch ? ' nomatch' : ''} -exist`)
    }
  }
  lines.push('create l list:set')
  for (const [name, type] of names) if (random.chance(0.3) && type !== 'bitmap:ip') lines.push(`add l ${name}`)
  return { lines, names: [...names, ['l', 'list:set']] }
}
