import { ParseError } from '../source.ts'
import { excerpt } from '../words.ts'
import { parseEndpoint } from './endpoint.ts'
import { rowsOf } from './rows.ts'
import type { IpvsConnection } from './types.ts'

const protocols: Readonly<Record<string, IpvsConnection['proto']>> = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp', IP: 'ip' }

/** Reads `ipvsadm -Lnc`: connections, and among them persistence templates, which have the client port 0. */
export function parseIpvsConnections(text: string, file: string): readonly IpvsConnection[] {
  const rows = rowsOf(text, file, 'IPVS connection entries')
  const connections: IpvsConnection[] = []
  for (const [i, row] of rows.entries()) {
    if (i < 2 || row === '') continue
    const [name = '', expire = '', state = '', ...ends] = row.split(/ +/, 6)
    const proto = Object.hasOwn(protocols, name) ? protocols[name] : undefined
    const time = /^(\d{1,9}):(\d\d)$/.exec(expire)
    const [client, virtual, destination] = ends.map(parseEndpoint)
    // AH and ESP are IPVS protocols, too, but never a virtual server's own
    if (!proto && /^[A-Z]{2,4}$/.test(name)) continue
    if (!proto || !time || !/^\S{1,16}$/.test(state) || !client || !virtual || !destination) {
      throw new ParseError(
        file,
        i + 1,
        `expected a line of ipvsadm -Lnc (protocol, expiry, state, source, virtual, destination), found “${excerpt(row)}”`,
      )
    }
    const expires = Number(time[1]) * 60 + Number(time[2])
    connections.push({ source: { file, line: i + 1 }, proto, expires, state, client, virtual, destination })
  }
  return connections
}
