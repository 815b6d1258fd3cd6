import { type Ip, type Prefix, parseIp, parsePrefix } from '../../net/ip.ts'
import { quote } from '../json.ts'
import { ParseError } from '../source.ts'
import { parseNumber } from '../words.ts'
import type { Endpoint, WireguardDevice, WireguardPeer } from './types.ts'

const COMMAND = 'expected what `wg show` prints'

/** While its lines are read, an entry is open. */
type Open<T> = { -readonly [K in keyof T]: T[K] }
type Device = Open<WireguardDevice> & { peers: WireguardPeer[] }
type Peer = Open<WireguardPeer> & { complete: boolean }

/** Parses `wg show` (wg(8), pretty_print in its show.c). No output is a namespace without WireGuard devices. */
export function parseWireguard(text: string, file: string): WireguardDevice[] {
  const devices: Device[] = []
  let peer: Peer | undefined
  const fail = (line: number, message: string): never => {
    throw new ParseError(file, line, message)
  }
  const lines = text.split('\n')
  for (const [i, row] of lines.entries()) {
    if (row === '') continue
    const line = i + 1
    if (line === lines.length) fail(line, 'the last line has no newline: the dump was cut off')
    const colon = row.indexOf(': ')
    if (colon < 0) fail(line, `not a setting: ${quote(row)}; ${COMMAND}`)
    const key = row.slice(0, colon).trim()
    const value = row.slice(colon + 2).trim()
    const device = devices.at(-1)
    if (row.startsWith('interface: ')) {
      whole(peer, file)
      peer = undefined
      if (devices.some((d) => d.name === value)) fail(line, `the interface ${quote(value)} stands twice: two dumps in one file`)
      devices.push({ source: { file, line }, name: value, fwmark: 0, peers: [] })
    } else if (!device) {
      fail(line, `${quote(key)} before any interface; ${COMMAND}`)
    } else if (row.startsWith('peer: ')) {
      whole(peer, file)
      peer = { source: { file, line }, allowed: [], complete: false, ...keyOf(value) }
      device.peers.push(peer)
    } else if (peer) {
      setPeer(peer, key, value, (message) => fail(line, message))
    } else {
      setDevice(device, key, value, (message) => fail(line, message))
    }
  }
  whole(peer, file)
  return devices
}

/** `allowed ips` is printed for every peer, `(none)` if need be: without it, the dump ends in the middle. */
function whole(peer: Peer | undefined, file: string): void {
  if (peer && !peer.complete)
    throw new ParseError(file, peer.source.line, `a peer without \`allowed ips\`: the dump was cut off; ${COMMAND}`)
}

/** a key in base64; `(hidden)`, `(none)` or a placeholder is none */
const keyOf = (value: string): { readonly publicKey?: string } => (/^[A-Za-z0-9+/]{43}=$/.test(value) ? { publicKey: value } : {})

function setDevice(device: Device, key: string, value: string, fail: (message: string) => never): void {
  switch (key) {
    case 'public key':
      Object.assign(device, keyOf(value))
      return
    case 'listening port':
      device.port = portOf(value) ?? fail(`${quote(value)} is not a port; ${COMMAND}`)
      return
    case 'fwmark':
      device.fwmark = parseNumber(value) ?? fail(`${quote(value)} is not a mark; ${COMMAND}`)
  }
}

function setPeer(peer: Peer, key: string, value: string, fail: (message: string) => never): void {
  switch (key) {
    case 'endpoint':
      if (value !== '(none)') peer.endpoint = parseEndpoint(value) ?? fail(`${quote(value)} is not an address and a port; ${COMMAND}`)
      return
    case 'allowed ips':
      peer.complete = true
      if (value !== '(none)')
        peer.allowed = value.split(', ').map((p): Prefix => parsePrefix(p) ?? fail(`${quote(p)} is not a prefix; ${COMMAND}`))
  }
}

/** `172.18.0.12:51820`, `[fd18::12]:51820`, `[fe80::1%eth0]:51820` */
function parseEndpoint(value: string): Endpoint | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)(?:%([^\]\s]{1,15}))?\]|([0-9.]+)):(\d{1,5})$/.exec(value)
  const ip: Ip | undefined = match ? parseIp((match[1] ?? match[3]) as string) : undefined
  const port = portOf(match?.[4])
  const device = match?.[2]
  return ip && port !== undefined ? { ip, port, ...(device !== undefined && { device }) } : undefined
}

function portOf(value: string | undefined): number | undefined {
  const port = parseNumber(value)
  return port !== undefined && port <= 65535 ? port : undefined
}
