import type { PortClass } from '../../policy/matrix/ports.ts'
import { protocolName } from '../../policy/protocols.ts'

/** `1-79, 81-65535`; empty: the protocol has no ports. */
export const rangesText = ({ ranges }: PortClass): string => ranges.map(({ lo, hi }) => (lo === hi ? `${lo}` : `${lo}-${hi}`)).join(', ')

/** `TCP 80, 8000-8100; UDP; ICMP`: a protocol alone is all of it, and `all ports` all that was asked, where that was all there is. */
export function portsText(ports: readonly PortClass[], asked: readonly PortClass[]): string {
  if (ports.length === 0) return 'none'
  if (ports.length === asked.length && isEverything(asked)) return 'all ports'
  return [...Map.groupBy(ports, ({ protocol }) => protocol)]
    .map(([protocol, own]) => {
      const ranges = own.flatMap((x) => x.ranges).sort((a, b) => a.lo - b.lo)
      return isWhole(ranges) ? protocolName(protocol) : `${protocolName(protocol)} ${rangesText({ protocol, ranges: joined(ranges) })}`
    })
    .join('; ')
}

type Ranges = PortClass['ranges']

const isWhole = (ranges: Ranges): boolean => ranges.reduce((sum, { lo, hi }) => sum + hi - lo + 1, 0) === (ranges.length === 0 ? 0 : 65535)

const isEverything = (asked: readonly PortClass[]): boolean =>
  [...Map.groupBy(asked, ({ protocol }) => protocol).values()].every((own) => isWhole(own.flatMap(({ ranges }) => ranges))) &&
  new Set(asked.map(({ protocol }) => protocol)).size > 1

function joined(ranges: Ranges): Ranges {
  const out: { lo: number; hi: number }[] = []
  for (const { lo, hi } of ranges) {
    const last = out.at(-1)
    if (last && last.hi === lo - 1) last.hi = hi
    else out.push({ lo, hi })
  }
  return out
}
