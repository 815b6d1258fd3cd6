import { formatEndpoint } from './endpoint.ts'
import type { ForwardMethod, IpvsTable, RealServer, ServiceKey, VirtualServer } from './types.ts'

/**
 * Prints a table as `ipvsadm-save -n` does (print_service_entry in ipvsadm.c 1.31): the inverse of `parseIpvsSave`. Thresholds, which the
 * tool leaves out, come last.
 */
export const formatIpvsSave = (table: IpvsTable): string => table.services.map(formatService).join('')

/** A virtual server and its real servers, a line each. */
function formatService(service: VirtualServer): string {
  const id = formatServiceKey(service.key)
  const { persistence, engine, onePacket, flags } = service
  const head = [
    `-A ${id} -s ${service.scheduler}`,
    ...(persistence ? [`-p ${persistence.timeout}`] : []),
    ...(persistence?.maskText !== undefined ? [`-M ${persistence.maskText}`] : []),
    ...(engine !== undefined ? [`--pe ${engine}`] : []),
    ...(onePacket ? ['-o'] : []),
    ...(flags.length > 0 ? [`-b ${flags.join(',')}`] : []),
  ]
  return [head.join(' '), ...service.servers.map((server) => `-a ${id} ${formatServer(server)}`)].map((l) => `${l}\n`).join('')
}

const options = { tcp: '-t', udp: '-u', sctp: '--sctp-service' } as const

/** `-t 10.96.0.1:443`, `-f 1 -6`: how commands name a virtual server. */
export function formatServiceKey(key: ServiceKey): string {
  // print_service_entry: “-f %d”
  if (key.kind === 'mark') return `-f ${key.mark | 0}${key.family === 6 ? ' -6' : ''}`
  return `${options[key.proto]} ${formatEndpoint(key)}`
}

const methods: Readonly<Record<ForwardMethod, string>> = { masquerade: '-m', tunnel: '-i', route: '-g' }

function formatServer(server: RealServer): string {
  const { tunnel, upper, lower } = server
  return [
    `-r ${formatEndpoint(server)} ${methods[server.method]} -w ${server.weight}`,
    ...(tunnel ? [`--tun-type ${tunnel.type}`] : []),
    ...(tunnel?.port !== undefined ? [`--tun-port ${tunnel.port}`] : []),
    ...(tunnel?.checksum ? [`--tun-${tunnel.checksum}`] : []),
    ...(upper > 0 ? [`-x ${upper}`] : []),
    ...(lower > 0 ? [`-y ${lower}`] : []),
  ].join(' ')
}
