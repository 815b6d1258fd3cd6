/** Which ports probes are sent from. */
import type { Snapshot } from '../snapshot/types.ts'

/** below what kernels choose from (ip_local_port_range) and the ports of nodes: no connection of somebody else is taken for ours */
const PORTS = { first: 20_000, count: 10_000 } as const
/** so that each has a port of its own, and nodes can watch for all of them at once */
export const MOST_FLOWS = 5000

/**
 * Ports to send from, each once, from a random one on; `chance` is in [0, 1). Those of listed connections come last: an earlier probe's entry lives on for
 * minutes, and the first packet of a new one would meet it instead of the rules.
 */
export function portsFrom({ hosts }: Pick<Snapshot, 'hosts'>, chance: number): readonly number[] {
  const taken = new Set<number>()
  for (const { conntrack } of hosts.values()) {
    for (const { original, reply } of conntrack?.entries ?? [])
      for (const port of [original.sport, reply.dport]) if (port !== undefined) taken.add(port.lo)
  }
  const start = Math.floor(chance * PORTS.count)
  const ports = Array.from({ length: PORTS.count }, (_, i) => PORTS.first + ((start + i) % PORTS.count))
  return [...ports.filter((p) => !taken.has(p)), ...ports.filter((p) => taken.has(p))]
}
