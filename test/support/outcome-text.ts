/** An outcome of the walk in the short form that tests write: `p2 10.244.2.2:80 < 10.244.1.2`, `icmp 3/3 172.18.0.12`, `dropped`. */
import type { Outcome } from '../../src/trace/types.ts'

export function outcomeText(o: Outcome, proto: string): string {
  if (o.verdict !== 'delivered') return o.error?.replace(' from', '') ?? o.verdict
  return proto === 'icmp'
    ? 'ok'
    : `${o.endpoint?.replace(/^pod\/t\/|^node\/|^external\//, '')} ${socketText(o.address, o.port)} < ${o.seenSource}`
}

export const socketText = (address: string | undefined, port: number | undefined): string =>
  address?.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
