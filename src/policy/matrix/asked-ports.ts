import { NetctlError } from '../../error.ts'
import { hasPorts, ICMP, protocolNumber } from '../protocols.ts'
import type { PortClass } from './ports.ts'

/** `80`, `80/tcp`, `53/udp` or `icmp` as typed. Throws USE013 for anything else. */
export function parsePort(text: string): PortClass {
  if (/^icmp$/i.test(text)) return { protocol: ICMP, ranges: [] }
  const [, digits = '', name = 'tcp'] = /^(\d{1,5})(?:\/([a-z]+))?$/i.exec(text) ?? []
  const port = Number(digits)
  const protocol = protocolNumber(name)
  if (digits === '' || port < 1 || port > 65535 || protocol === undefined || !hasPorts(protocol)) {
    throw new NetctlError({ code: 'USE013', message: `--port ${text} is no port`, try: 'say it as 80, 80/tcp, 53/udp or icmp' })
  }
  return { protocol, ranges: [{ lo: port, hi: port }] }
}
