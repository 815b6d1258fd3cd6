/** What the changes of a snapshot have in common. */
import { NetctlError } from '../../error.ts'
import type { Host, Snapshot } from '../types.ts'

/** A snapshot with other hosts in place of those of the same id. */
export function withHosts(snapshot: Snapshot, hosts: readonly Host[]): Snapshot {
  const all = new Map(snapshot.hosts)
  for (const host of hosts) all.set(host.id, host)
  return { ...snapshot, hosts: all }
}

/** `n2`, `node/n2`, `pod/shop/web-1`, `external/ext`; `*` is every node. */
export function hostsNamed(snapshot: Snapshot, name: string, flag: string): readonly Host[] {
  const nodes = [...snapshot.hosts.values()].filter((h) => h.kind === 'node')
  if (name === '*' && nodes.length > 0) return nodes
  const host = snapshot.hosts.get(name.includes('/') ? name : `node/${name}`)
  if (host) return [host]
  const known = [...nodes.map((h) => h.name), ...[...snapshot.hosts.values()].filter((h) => h.kind === 'external').map((h) => h.id)]
  throw new NetctlError({
    code: 'WHF001',
    message: `${flag}: the snapshot has no dumps of ${name === '*' ? 'any node' : name}`,
    try: known.length > 0 ? `${known.slice(0, 8).join(', ')}, or pod/NAMESPACE/NAME` : 'netctl snapshot show',
  })
}

/** How a host is called in answers. */
export const labelOf = (host: Host): string => (host.kind === 'node' ? host.name : host.id)
