import { parseIp } from '../../net/ip.ts'
import { ntop } from '../addresses.ts'
import type { Endpoint } from './types.ts'

/** `ADDRESS:PORT` or `[ADDRESS]:PORT`, as `ipvsadm -n` prints it; undefined if it is none. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const colon = text.lastIndexOf(':')
  const host = text.slice(0, Math.max(0, colon))
  const bracketed = host.startsWith('[') && host.endsWith(']')
  const ip = parseIp(bracketed ? host.slice(1, -1) : host)
  const port = text.slice(colon + 1)
  if (!ip || bracketed !== (ip.family === 6) || !/^\d{1,5}$/.test(port) || Number(port) > 65535) return undefined
  return { ip, port: Number(port) }
}

/** The inverse of `parseEndpoint` (addrport_to_anyname in ipvsadm.c, with FMT_NUMERIC). */
export const formatEndpoint = ({ ip, port }: Endpoint): string => `${ip.family === 6 ? `[${ntop(ip)}]` : ip.text}:${port}`
