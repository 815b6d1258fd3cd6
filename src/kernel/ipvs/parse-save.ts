import { type Family, type Prefix, parseIp, prefix } from '../../net/ip.ts'
import { parseMaskedPrefix } from '../iptables/masked-prefix.ts'
import { ParseError } from '../source.ts'
import { excerpt } from '../words.ts'
import { parseEndpoint } from './endpoint.ts'
import type { IpvsProtocol, IpvsTable, Persistence, RealServer, ServiceKey, Tunnel, VirtualServer } from './types.ts'

/** ipvsadm prints nothing near as long. */
const LONGEST_LINE = 4096

type Words = readonly string[]

/** Long options by their short names; `ipvsadm-save` prints the short ones. */
const short: Readonly<Record<string, string>> = {
  '--add-service': '-A',
  '--add-server': '-a',
  '--tcp-service': '-t',
  '--udp-service': '-u',
  '--fwmark-service': '-f',
  '--ipv6': '-6',
  '--scheduler': '-s',
  '--persistent': '-p',
  '--netmask': '-M',
  '--ops': '-o',
  ops: '-o',
  '--sched-flags': '-b',
  '--real-server': '-r',
  '--masquerading': '-m',
  '--ipip': '-i',
  '--gatewaying': '-g',
  '--weight': '-w',
  '--u-threshold': '-x',
  '--l-threshold': '-y',
}

const shortened = (word: string): string => (Object.hasOwn(short, word) ? (short[word] as string) : word)

interface OpenService extends VirtualServer {
  readonly servers: RealServer[]
}

/**
 * Reads what `ipvsadm-save -n` (`ipvsadm -S -n`) printed, or a file for `ipvsadm-restore` with the same commands: `-A` and `-a` lines.
 * Servers come in the order of the file, which is a sorted one, not the kernel's.
 */
export function parseIpvsSave(text: string, file: string): IpvsTable {
  const services = new Map<string, OpenService>()
  const seen = new Set<string>()
  let line = 0
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at)
    const end = newline < 0 ? text.length : newline
    line++
    const fail = (message: string) => new ParseError(file, line, message)
    if (end - at > LONGEST_LINE) throw fail(`a line of ${end - at} characters: ipvsadm prints none that long`)
    const row = text.slice(at, end)
    if (newline < 0) throw fail(`the last line has no newline: expected one after “${excerpt(row)}”, the dump was cut off`)
    const problem = row.trim() === '' || row.startsWith('#') ? undefined : readLine(row, line, services, seen)
    if (problem) throw fail(problem)
    at = end + 1
  }
  return { file, services: [...services.values()] }
}

/** Reads one line into `services`; a string says what is wrong with it. */
function readLine(row: string, line: number, services: Map<string, OpenService>, seen: Set<string>): string | undefined {
  const [command, option, value = '', ...rest] = row.trimEnd().split(' ').map(shortened)
  if (command !== '-A' && command !== '-a') return `expected “-A …” or “-a …” as ipvsadm-save prints them, found “${excerpt(row)}”`
  const key = serviceKey(option, value, rest[0] === '-6')
  if (typeof key === 'string') return key
  const id = `${option} ${value}${rest[0] === '-6' ? ' -6' : ''}`
  const options = rest[0] === '-6' ? rest.slice(1) : rest
  if (command === '-A') {
    if (services.has(id)) return `virtual server ${excerpt(id)} is added twice`
    const made = readService(key, options, line)
    if (typeof made === 'string') return made
    services.set(id, made)
    return undefined
  }
  const service = services.get(id)
  if (!service) return `a real server of ${excerpt(id)}, which has no “-A ${excerpt(id)}” line before`
  const server = readServer(options, line)
  if (typeof server === 'string') return server
  // Linux can tunnel to servers of the other family, and only that (ip_vs_add_dest: “mixed_address_family_dests”)
  if (server.ip.family !== familyOf(key) && server.method !== 'tunnel') return `a real server of the other family: “${excerpt(row)}”`
  const twice = `${id} ${server.ip.text} ${server.port}`
  if (seen.has(twice)) return `real server ${server.ip.text}:${server.port} of ${excerpt(id)} is added twice`
  seen.add(twice)
  service.servers.push(server)
  return undefined
}

/** The family of a virtual server. */
export const familyOf = (key: ServiceKey): Family => (key.kind === 'mark' ? key.family : key.ip.family)

const protocols: Readonly<Record<string, IpvsProtocol>> = { '-t': 'tcp', '-u': 'udp', '--sctp-service': 'sctp' }

function serviceKey(option: string | undefined, value: string, six: boolean): ServiceKey | string {
  if (option === '-f') {
    const mark = /^-?\d{1,10}$/.test(value) ? Number(value) : 0
    if (mark === 0 || mark > 0xffffffff) return `expected a firewall mark after -f, found “${excerpt(value)}”`
    // printed with %d: marks from 0x80000000 on come out negative
    return { kind: 'mark', mark: mark >>> 0, family: six ? 6 : 4 }
  }
  const proto = option !== undefined && Object.hasOwn(protocols, option) ? protocols[option] : undefined
  if (!proto) return `expected -t, -u, --sctp-service or -f, found “${excerpt(option ?? '')}”`
  const at = parseEndpoint(value)
  return at ? { kind: 'address', proto, ...at } : `expected ADDRESS:PORT in numbers (ipvsadm-save -n), found “${excerpt(value)}”`
}

function number(text: string | undefined, max: number): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) <= max ? Number(text) : undefined
}

function readService(key: ServiceKey, words: Words, line: number): OpenService | string {
  let scheduler = 'wlc'
  let timeout: number | undefined
  let maskText: string | undefined
  let engine: string | undefined
  let onePacket = false
  let flags: Words = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string
    const value = words[i + 1]
    switch (word) {
      case '-s':
        if (!value) return `expected a scheduler after ${word}`
        scheduler = value
        i++
        break
      case '-p':
        // without a value: IPVS_SVC_PERSISTENT_TIMEOUT of ipvsadm.c
        timeout = number(value, 31 * 24 * 3600)
        if (timeout !== undefined) i++
        else timeout = 360
        break
      case '-M':
        maskText = value
        i++
        break
      case '--pe':
        if (!value) return 'expected a persistence engine after --pe'
        engine = value
        i++
        break
      case '-o':
        onePacket = true
        break
      case '-b':
        if (!value) return `expected scheduler flags after ${word}`
        flags = value.split(',')
        i++
        break
      default:
        return `an option of a virtual server that ipvsadm-save does not print: “${excerpt(word)}”`
    }
  }
  if (maskText !== undefined && timeout === undefined) return 'a netmask (-M) without persistence (-p)'
  const mask = timeout === undefined ? undefined : persistenceMask(maskText, familyOf(key))
  if (typeof mask === 'string') return mask
  const persistence: Persistence | undefined =
    mask && timeout !== undefined ? { timeout, mask, ...(maskText !== undefined && { maskText }) } : undefined
  return { key, scheduler, persistence, engine, onePacket, flags, servers: [], ordered: false, line }
}

/** `-M`: for IPv4 a dotted mask, for IPv6 a prefix length. */
export function persistenceMask(text: string | undefined, family: Family): Prefix | string {
  const zero = parseIp(family === 4 ? '0.0.0.0' : '::')
  if (!zero) throw new TypeError('zero is an address')
  if (text === undefined) return prefix(zero, family === 4 ? 32 : 128)
  if (family === 6) {
    const length = number(text, 128)
    return length === undefined || length === 0 ? `expected a prefix length after -M, found “${excerpt(text)}”` : prefix(zero, length)
  }
  const mask = /^[\d.]{7,15}$/.test(text) ? parseMaskedPrefix(`0.0.0.0/${text}`) : undefined
  return mask?.prefix ?? `expected a netmask after -M, found “${excerpt(text)}”`
}

function readServer(words: Words, line: number): RealServer | string {
  let at: ReturnType<typeof parseEndpoint>
  let method: RealServer['method'] = 'route'
  let type: Tunnel['type'] | undefined
  let port: number | undefined
  let checksum: Tunnel['checksum']
  const values = { weight: 1, upper: 0, lower: 0 }
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string
    const value = words[i + 1]
    switch (word) {
      case '-r':
        at = parseEndpoint(value ?? '')
        if (!at) return `expected ADDRESS:PORT in numbers (ipvsadm-save -n) after ${word}, found “${excerpt(value ?? '')}”`
        i++
        break
      case '-m':
        method = 'masquerade'
        break
      case '-i':
        method = 'tunnel'
        break
      case '-g':
        method = 'route'
        break
      case '-w':
      case '-x':
      case '-y': {
        const n = number(value, 0x7fffffff)
        if (n === undefined) return `expected a number after ${word}, found “${excerpt(value ?? '')}”`
        values[({ '-w': 'weight', '-x': 'upper', '-y': 'lower' } as const)[word]] = n
        i++
        break
      }
      case '--tun-type':
        if (value !== 'ipip' && value !== 'gue' && value !== 'gre') return `an unknown tunnel type: “${excerpt(value ?? '')}”`
        type = value
        i++
        break
      case '--tun-port':
        port = number(value, 65535)
        if (port === undefined) return `expected a port after --tun-port, found “${excerpt(value ?? '')}”`
        i++
        break
      case '--tun-nocsum':
      case '--tun-csum':
      case '--tun-remcsum':
        checksum = word.slice('--tun-'.length) as Tunnel['checksum']
        break
      default:
        return `an option of a real server that ipvsadm-save does not print: “${excerpt(word)}”`
    }
  }
  if (!at) return 'a real server without -r'
  const tunnel: Tunnel | undefined = type && { type, ...(port !== undefined && { port }), ...(checksum && { checksum }) }
  return { ...at, method, ...values, ...(tunnel && { tunnel }), line }
}
