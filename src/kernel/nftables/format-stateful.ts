import type { Limit, Quota, StatefulStatement } from './stateful-types.ts'

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

export const formatCounts = (c: { readonly packets: number; readonly bytes: number }): string => `packets ${c.packets} bytes ${c.bytes}`

export function formatLimit(l: Limit): string {
  const packets = l.rateUnit === 'packets'
  const rate = packets ? `${l.rate}/${l.per}` : `${l.rate} ${l.rateUnit}/${l.per}`
  // nft refuses a burst of no bytes, which is what none means
  const burst = l.burst === (packets ? 5 : 0) ? '' : ` burst ${l.burst} ${l.burstUnit}`
  return `rate ${l.over ? 'over ' : ''}${rate}${burst}`
}

export const formatQuota = (q: Quota): string => `${q.over ? 'over ' : ''}${q.limit} bytes${q.used > 0 ? ` used ${q.used} bytes` : ''}`
