import { type Ip, parseIp } from '../../net/ip.ts'
import { ParseError } from '../source.ts'
import { excerpt } from '../words.ts'
import { parseEndpoint } from './endpoint.ts'
import { rowsOf } from './rows.ts'
import type { Endpoint, ForwardMethod, IpvsListing, IpvsProtocol, ListedServer, ListedService, ServiceKey } from './types.ts'

/**
 * Reads `ipvsadm -Ln`, also with `--stats`, `--rate`, `--thresholds` or `--persistent-conn`. The tool sorts unless `--nosort` is given: a
 * listing that is not sorted is in the kernel's order.
 */
export function parseIpvsListing(text: string, file: string): IpvsListing {
  const services = readListing(text, file, { endpoint: parseEndpoint, mark: (word) => decimal(word) })
  return {
    file,
    services,
    ordered: services.some(({ servers }) => servers.some((s, i) => i > 0 && compareEndpoints(servers[i - 1] as Endpoint, s) > 0)),
  }
}

/** Reads /proc/net/ip_vs: addresses and ports in hexadecimal, servers in the order of the kernel's list (ip_vs_info_seq_show). */
export function parseProcIpvs(text: string, file: string): IpvsListing {
  return { file, services: readListing(text, file, { endpoint: hexEndpoint, mark: (word) => hex(word, 8) }), ordered: true }
}

interface Notation {
  endpoint(word: string): Endpoint | undefined
  mark(word: string): number | undefined
}

const protocols: Readonly<Record<string, IpvsProtocol>> = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' }
const methods: Readonly<Record<string, ForwardMethod>> = { Masq: 'masquerade', Tunnel: 'tunnel', Route: 'route', Local: 'route' }

function readListing(text: string, file: string, notation: Notation): ListedService[] {
  const rows = rowsOf(text, file, 'IP Virtual Server version')
  const titles = [rows[1], rows[2]].flatMap((row) => row?.split(/ +/).filter((w) => numeric.has(w)) ?? [])
  const services: (ListedService & { readonly servers: ListedServer[] })[] = []
  for (const [i, row] of rows.entries()) {
    if (i < 3 || row === '') continue
    const fail = (what: string) => new ParseError(file, i + 1, `expected ${what}, found “${excerpt(row)}”`)
    const words = row.trim().split(/ +/)
    if (words[0] !== '->') {
      const found = serviceOf(words, notation)
      if (!found) throw fail('a virtual server (TCP, UDP, SCTP or FWM and its address)')
      services.push({ ...found, servers: [], line: i + 1 })
      continue
    }
    const service = services.at(-1)
    const at = notation.endpoint(words[1] ?? '')
    if (!service || !at) throw fail('a real server (“-> ADDRESS:PORT …”) below its virtual server')
    const method = Object.hasOwn(methods, words[2] ?? '') ? methods[words[2] as string] : undefined
    // TunnelInfo and the like are no numbers
    const values = words
      .slice(2)
      .map(decimal)
      .filter((n) => n !== undefined)
    const columns = new Map(titles.map((title, n) => [title, values[n] ?? 0]))
    service.servers.push({ ...at, ...(method && { method }), columns, line: i + 1 })
  }
  return services.map((service) => withFamily(service))
}

/** titles of columns that hold numbers (print_title in ipvsadm.c) */
const numeric = new Set(
  'Weight ActiveConn InActConn PersistConn Uthreshold Lthreshold Conns InPkts OutPkts InBytes OutBytes CPS InPPS OutPPS InBPS OutBPS'.split(
    ' ',
  ),
)

function serviceOf(
  words: readonly string[],
  notation: Notation,
): { readonly key: ServiceKey; readonly words: readonly string[] } | undefined {
  const [kind = '', at = '', ...rest] = words
  if (kind === 'FWM') {
    const mark = notation.mark(at)
    const six = rest[0] === 'IPv6'
    return mark === undefined
      ? undefined
      : { key: { kind: 'mark', mark: mark >>> 0, family: six ? 6 : 4 }, words: six ? rest.slice(1) : rest }
  }
  const endpoint = notation.endpoint(at)
  const proto = Object.hasOwn(protocols, kind) ? protocols[kind] : undefined
  return endpoint && proto && { key: { kind: 'address', proto, ...endpoint }, words: rest }
}

/** /proc/net/ip_vs does not tell the family of a firewall mark: its servers do. */
function withFamily(service: ListedService): ListedService {
  const { key, servers } = service
  return key.kind === 'mark' && servers[0] ? { ...service, key: { ...key, family: servers[0].ip.family } } : service
}

/** A number, perhaps cut to thousands, millions, … (print_largenum). */
function decimal(word: string): number | undefined {
  const match = /^(-?\d{1,15})([KMGT]?)$/.exec(word)
  return match ? Number(match[1]) * 1000 ** ' KMGT'.indexOf(match[2] || ' ') : undefined
}

const hex = (word: string, digits: number): number | undefined =>
  word.length === digits && /^[0-9A-Fa-f]+$/.test(word) ? Number.parseInt(word, 16) : undefined

/** `0A600001:01BB`, `[fd00:0010:…:0001]:01BB` */
function hexEndpoint(word: string): Endpoint | undefined {
  const colon = word.lastIndexOf(':')
  const host = word.slice(0, Math.max(0, colon))
  const port = hex(word.slice(colon + 1), 4)
  const ip = host.startsWith('[') && host.endsWith(']') ? parseIp(host.slice(1, -1)) : ip4(hex(host, 8))
  return ip && port !== undefined ? { ip, port } : undefined
}

const ip4 = (n: number | undefined): Ip | undefined =>
  n === undefined ? undefined : parseIp(`${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`)

/** ipvs_cmp_dests: differences as 32-bit signed numbers, so that 172.16.0.0 comes before 10.0.0.0. */
export function compareEndpoints(x: Endpoint, y: Endpoint): number {
  for (const word of ['a', 'b', 'c', 'd'] as const) {
    const difference = (x.ip[word] - y.ip[word]) | 0
    if (difference !== 0) return difference
  }
  return x.port - y.port
}
