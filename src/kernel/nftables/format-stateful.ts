import type { Limit, Quota, StatefulStatement } from './stateful-types.ts'

/** A stateful statement as nft prints it. */
export function formatStateful(s: StatefulStatement): string {
  switch (s.kind) {
    case 'counter':
      return `counter ${formatCounts(s)}`
    case 'limit':
      return `limit ${formatLimit(s.limit)}`
    case 'quota':
      return `quota ${formatQuota(s.quota)}`
    case 'connlimit':
      return `ct count ${s.over ? 'over ' : ''}${s.count}`
    case 'last':
      return 'last'
  }
}

/** `packets 3 bytes 180` */
export const formatCounts = (c: { readonly packets: number; readonly bytes: number }): string => `packets ${c.packets} bytes ${c.bytes}`

/** `rate over 10/second burst 5 packets` */
export function formatLimit(l: Limit): string {
  const packets = l.rateUnit === 'packets'
  const rate = packets ? `${l.rate}/${l.per}` : `${l.rate} ${l.rateUnit}/${l.per}`
  // nft refuses a burst of no bytes, which is what none means
  const burst = l.burst === (packets ? 5 : 0) ? '' : ` burst ${l.burst} ${l.burstUnit}`
  return `rate ${l.over ? 'over ' : ''}${rate}${burst}`
}

/** `over 1000 bytes used 20 bytes` */
export const formatQuota = (q: Quota): string => `${q.over ? 'over ' : ''}${q.limit} bytes${q.used > 0 ? ` used ${q.used} bytes` : ''}`
