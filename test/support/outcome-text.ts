/** An outcome of the walk in the short form that tests write: `p2 10.244.2.2:80 < 10.244.1.2`, `icmp 3/3 172.18.0.12`, `dropped`. */
import type { Outcome } from '../../src/trace/types.ts'
import type { Seen } from './netns-agent.ts'

export function outcomeText(o: Outcome, proto: string): string {
  if (o.verdict !== 'delivered') return o.error?.replace(' from', '') ?? o.verdict
  return proto === 'icmp'
    ? 'ok'
    : `${o.endpoint?.replace(/^pod\/t\/|^node\/|^external\//, '')} ${socketText(o.address, o.port)} < ${o.seenSource}`
}

/** What was seen, in the words of `outcomeText`. */
export function seenText(s: Seen): string {
  switch (s.kind) {
    case 'delivered':
      return s.host === undefined ? 'ok' : `${s.host} ${socketText(s.dst, s.port)} < ${s.src}`
    case 'icmp':
      return `icmp ${s.type}/${s.code} ${s.from}`
    case 'errno':
      return `errno ${s.name}`
    default:
      return s.kind
  }
}

export const socketText = (address: string | undefined, port: number | undefined): string =>
  address?.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
