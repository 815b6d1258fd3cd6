import { joinListing, tableOfListing } from '../kernel/ipvs/join.ts'
import { parseIpvsConnections } from '../kernel/ipvs/parse-connections.ts'
import { parseIpvsListing, parseProcIpvs } from '../kernel/ipvs/parse-listing.ts'
import { parseIpvsSave } from '../kernel/ipvs/parse-save.ts'
import { parseSysctl } from '../kernel/sysctl/parse.ts'
import type { Reader } from './host.ts'
import type { Ipvs, Sysctls } from './types.ts'

/**
 * Reads what there is of IPVS. The table is that of ipvsadm-save, or of a plain `ipvsadm -Ln`; listings add the order of real servers and how
 * many connections they have. Undefined: not dumped.
 */
export function loadIpvs(read: Reader, sysctls: Sysctls | undefined): Ipvs | undefined {
  const saved = read('ipvsadm-save.txt', 'ipvsadm-save -n', ['ipvs', 'empty'], parseIpvsSave)
  const listed = read('ipvsadm.txt', 'ipvsadm -Ln', ['ipvs-list'], parseIpvsListing)
  const listings = [
    listed,
    read('ipvsadm-thresholds.txt', 'ipvsadm -Ln --thresholds', ['ipvs-list'], parseIpvsListing),
    // a single read(2) of the file gives its first page: it may tell the order of what it shows, but not that there is no more
    read('proc-ip_vs.txt', 'cat /proc/net/ip_vs', ['ipvs-list'], parseProcIpvs),
  ].filter((l) => l !== undefined)
  const connections = read('ipvsadm-conn.txt', 'ipvsadm -Lnc', ['ipvs-conn'], parseIpvsConnections)
  const settings = read('sysctl-vs.txt', 'sysctl net.ipv4.vs', ['sysctl'], parseSysctl) ?? sysctls
  const table = saved ?? (listed && tableOfListing(listed))
  return table && { table: listings.reduce(joinListing, table), connections, sysctls: settings }
}
