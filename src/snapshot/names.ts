import type { Inventory, KnownHost } from '../cluster/inventory.ts'
import type { Host, Snapshot } from './types.ts'

const inventories = new WeakMap<Snapshot, Inventory>()

/** What names can mean in a snapshot; made on first use. */
export function inventoryOf(snapshot: Snapshot): Inventory {
  let inventory = inventories.get(snapshot)
  if (!inventory) {
    const hosts = [...snapshot.hosts.values()].flatMap((host) => (host.kind === 'pod' ? [] : [known(host, host.kind)]))
    inventories.set(snapshot, (inventory = { cluster: snapshot.cluster, hosts }))
  }
  return inventory
}

function known(host: Host, kind: KnownHost['kind']): KnownHost {
  // devices come in the kernel's order: the uplink stands before the bridges and tunnels that were made later
  const ips = (host.links ?? [])
    .filter((link) => link.kind !== 'loopback')
    .flatMap((link) => link.addresses.filter((a) => a.scope === 'global').map((a) => a.ip))
  // the same address on many devices (kube-ipvs0's service addresses are no addresses of the node's own)
  const services = new Set((host.links ?? []).filter((l) => l.name === 'kube-ipvs0').flatMap((l) => l.addresses.map((a) => a.ip.text)))
  return { kind, name: host.name, ips: ips.filter((ip) => !services.has(ip.text)) }
}
