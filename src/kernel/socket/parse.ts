import { fromWords, type Ip, isUnspecified, parseIp } from '../../net/ip.ts'
import { quote } from '../json.ts'
import { eachLine } from '../lines.ts'
import { ParseError, type Source } from '../source.ts'
import type { Listener } from './types.ts'

const COMMAND = 'expected lines as `ss -Hlntu` prints them'
/** Netid words of ss(8) for sockets that no flow of ours can reach. */
const OTHER = new Set([
  'raw',
  'p_raw',
  'p_dgr',
  'icmp6',
  'u_str',
  'u_dgr',
  'u_seq',
  'nl',
  'v_str',
  'v_dgr',
  'ti_rd',
  'ti_sq',
  'ti_st',
  'ti_dg',
  'xdp',
  'udpl',
  'dccp',
  '???',
])

/** Parses `ss -Hlntu`, with `-S` for SCTP too. An empty dump is a host on which nobody listens. */
export function parseSockets(text: string, file: string): Listener[] {
  const listeners: Listener[] = []
  eachLine(text, (row, line) => {
    // the heading, where -H was left out
    if (/^Netid\s+State\s/.test(row)) return
    const listener = parseLine(row, { file, line })
    if (listener) listeners.push(listener)
  })
  return listeners
}

function parseLine(row: string, source: Source): Listener | undefined {
  const fail = (message: string): never => {
    throw new ParseError(source.file, source.line, message)
  }
  const [netid, state, recv, send, local] = row.split(/\s+/, 6)
  if (netid === undefined || state === undefined || !/^\d+$/.test(recv ?? '') || !/^\d+$/.test(send ?? '') || local === undefined) {
    return fail(`not a socket: ${quote(row)}; ${COMMAND}`)
  }
  if (OTHER.has(netid)) return undefined
  // mptcp sockets listen on the TCP port of the same number
  const proto = netid === 'mptcp' ? 'tcp' : netid
  if (proto !== 'tcp' && proto !== 'udp' && proto !== 'sctp') return fail(`unknown kind of socket ${quote(netid)}; ${COMMAND}`)
  // a connected UDP socket or an established connection is nobody who listens
  if (state !== 'LISTEN' && state !== 'UNCONN') return undefined
  const match = /^(\*|\[[0-9a-fA-F:.]+\]|[0-9a-fA-F:.]+)(?:%([^\s:%]+))?:(\d{1,5})$/.exec(local)
  const port = Number(match?.[3])
  if (!match || port > 65535) return fail(`${quote(local)} is not an address and a port in digits; ${COMMAND}`)
  const address = match[1] as string
  const device = match[2]
  const rest = { source, proto, ...(device === undefined ? {} : { device }), port } as const
  if (address === '*') return { ...rest, ip: undefined, families: [4, 6] }
  const ip = unmapped(parseIp(address.replace(/^\[|\]$/g, '')) ?? fail(`${quote(address)} is not an address; ${COMMAND}`))
  // `[::]` is what ss prints for IPV6_V6ONLY; a socket for both families shows as `*`
  return isUnspecified(ip) ? { ...rest, ip: undefined, families: [ip.family] } : { ...rest, ip, families: [ip.family] }
}

/** An IPv6 socket bound to ::ffff:a.b.c.d serves IPv4. */
function unmapped(ip: Ip): Ip {
  return ip.family === 6 && ip.a === 0 && ip.b === 0 && ip.c === 0xffff ? fromWords(4, 0, 0, 0, ip.d) : ip
}
