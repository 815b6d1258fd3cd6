import { joinListing, tableOfListing } from '../kernel/ipvs/join.ts'
import { parseIpvsConnections } from '../kernel/ipvs/parse-connections.ts'
import { parseIpvsListing, parseProcIpvs } from '../kernel/ipvs/parse-listing.ts'
import { parseIpvsSave } from '../kernel/ipvs/parse-save.ts'
import type { IpvsListing } from '../kernel/ipvs/types.ts'
import type { Link } from '../kernel/link/types.ts'
import { ParseError } from '../kernel/source.ts'
import { parseSysctl } from '../kernel/sysctl/parse.ts'
import type { Reader } from './host.ts'
import type { Host, Ipvs } from './types.ts'

/**
 * Reads what there is of IPVS. The table is that of ipvsadm-save, or of a plain `ipvsadm -Ln`; listings add the order of real servers and how
 * many connections they have. Undefined: not dumped.
 */
export function loadIpvs(read: Reader, host: Pick<Host, 'sysctls' | 'links'>): Ipvs | undefined {
  const listed = read('ipvsadm.txt', 'ipvsadm -Ln', ['ipvs-list'], parseIpvsListing)
  const listings = [
    listed,
    read('ipvsadm-thresholds.txt', 'ipvsadm -Ln --thresholds', ['ipvs-list'], parseIpvsListing),
    // a single read(2) of the file gives its first page: it may tell the order of what it shows, but not that there is no more
    read('proc-ip_vs.txt', 'cat /proc/net/ip_vs', ['ipvs-list'], parseProcIpvs),
  ].filter((l) => l !== undefined)
  const saved = read('ipvsadm-save.txt', 'ipvsadm-save -n', ['ipvs', 'empty'], (text, file) => {
    if (text.trim() === '') expectNoServers(file, listings, host.links)
    return parseIpvsSave(text, file)
  })
  const connections = read('ipvsadm-conn.txt', 'ipvsadm -Lnc', ['ipvs-conn'], parseIpvsConnections)
  const settings = read('sysctl-vs.txt', 'sysctl net.ipv4.vs', ['sysctl'], parseSysctl) ?? host.sysctls
  const table = saved ?? (listed && tableOfListing(listed))
  return table && { table: listings.reduce(joinListing, table), connections, sysctls: settings }
}

/** An empty ipvsadm-save is an answer only where a listing says so, or nothing tells of kube-proxy's virtual servers. */
function expectNoServers(file: string, listings: readonly IpvsListing[], links: readonly Link[] | undefined): void {
  const shown = listings.find((l) => l.services.length > 0)
  const device = listings.length === 0 ? links?.find((l) => l.name === 'kube-ipvs0' && l.addresses.length > 0) : undefined
  const sign = shown
    ? `${shown.file} shows virtual servers`
    : device && `${device.source.file} shows addresses of Services on ${device.name}`
  if (sign !== undefined)
    throw new ParseError(file, 1, `empty, though ${sign}; take it again or delete the file to have it treated as not recorded`)
}
