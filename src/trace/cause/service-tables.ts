/** Where kube-proxy keeps its Services on a node: chains of iptables, maps of nft, or addresses and virtual servers for IPVS. */
import type { Source } from '../../kernel/source.ts'
import { isKubeProxyDevice } from '../attribution/device-names.ts'
import type { Place, World } from '../world.ts'
import type { Headers } from './case.ts'

export type ProxyMode = 'iptables' | 'nftables' | 'ipvs'

/** The chain where kube-proxy lists every Service port (pkg/proxy/iptables/proxier.go). */
const services = 'KUBE-SERVICES'

/** What kube-proxy has programmed on a node for the packet's family; undefined if nothing. */
export function proxyMode({ host, links }: Place, { dst }: Pick<Headers, 'dst'>): ProxyMode | undefined {
  if (nftTable(host, dst.family)) return 'nftables'
  if ([...links.keys()].some(isKubeProxyDevice)) return 'ipvs'
  return natTables(host, dst.family).some(({ table }) => table.chains.has(services)) ? 'iptables' : undefined
}

/** How it is done on the nodes that have it; on all of them in the same way, but for the time of a change. */
export function usualMode(world: World, at: Headers): ProxyMode {
  for (const place of world.places.values()) {
    const mode = place.host.kind === 'node' ? proxyMode(place, at) : undefined
    if (mode) return mode
  }
  return 'iptables'
}

/** What stands for a Service port in a mode, as it is said when it is missing: `rule for … (KUBE-SERVICES)`. */
export function entryName(mode: ProxyMode, what: string, nodePort: boolean): string {
  switch (mode) {
    case 'iptables':
      return `rule for ${what} (${nodePort ? 'KUBE-NODEPORTS' : services})`
    case 'nftables':
      return `element for ${what} in map ${nftMap(nodePort)} (nft)`
    case 'ipvs':
      return `virtual server for ${what} (IPVS)`
  }
}

const nftMap = (nodePort: boolean): string => (nodePort ? 'service-nodeports' : 'service-ips')

/** What all of them stand in. */
export const tableName: Readonly<Record<ProxyMode, string>> = {
  iptables: `${services} chain`,
  nftables: 'nft table kube-proxy',
  ipvs: 'kube-ipvs0 device',
}

/** Where the entry should stand: the chain, map or device; else the table without it. */
export function tableSource(place: Place, mode: ProxyMode, { dst }: Pick<Headers, 'dst'>, nodePort = false): Source | undefined {
  switch (mode) {
    case 'nftables': {
      const table = nftTable(place.host, dst.family)
      const map = table?.sets.get(nftMap(nodePort))
      return table && { file: place.host.nft?.file as string, line: (map ?? table).line }
    }
    case 'ipvs':
      return [...place.links.values()].find((l) => isKubeProxyDevice(l.name))?.source
    case 'iptables': {
      const tables = natTables(place.host, dst.family)
      const found = tables.find(({ table }) => table.chains.has(services)) ?? tables[0]
      return found && { file: found.file, line: found.table.chains.get(services)?.line ?? found.table.line }
    }
  }
}

const nftTable = (host: Place['host'], family: 4 | 6) =>
  host.nft?.tables.find((t) => t.name === 'kube-proxy' && t.family === (family === 4 ? 'ip' : 'ip6'))

const natTables = (host: Place['host'], family: 4 | 6) =>
  (host.iptables[family] ?? []).flatMap((dump) => {
    const table = dump.tables.find((t) => t.name === 'nat')
    return table ? [{ file: dump.file, table }] : []
  })
