import type { TraceEvent, TraceHeaders } from '../kernel/nftables/trace-events.ts'
import { protocolNumber, protocolNumbers } from '../net/packet.ts'
import { tableOf } from './rules.ts'
import type { SeenPacket, SeenStep, Space, Tuple, WatchOrder } from './types.ts'

type Draft = { -readonly [K in keyof SeenPacket]: SeenPacket[K] } & { readonly steps: SeenStep[] }

/**
 * Events by packets. One begins where the first chains of our own table meet it; the kernel makes its ids from where a packet lies in memory, so
 * they come back. `chains`: which rule of its chain a handle is.
 */
export function packetsOf(
  events: readonly TraceEvent[],
  chains: ReadonlyMap<string, ReadonlyMap<number, number>>,
  space: Space,
  order: WatchOrder,
): readonly SeenPacket[] {
  const packets: Draft[] = []
  const current = new Map<string, Draft>()
  for (const event of events) {
    const known = current.get(event.id) ?? handedUp(event, current)
    if (known) current.set(event.id, known)
    const { table, chain } = event
    if (table !== `inet ${tableOf(order.id)}`) {
      const step = stepOf(event, known?.headers, chains.get(`${table} ${chain}`))
      if (step) known?.steps.push(step)
    } else if (event.kind === 'packet' && (chain === 'postrouting' || chain === 'input')) {
      // of one that another netctl has marked, behind our first chains, there is nothing to end
      if (!known) continue
      const headers = trusted(event.headers, known.headers)
      known.end = { hook: chain, ...(headers && { headers }), ...(event.oif !== undefined && { oif: event.oif }) }
      current.delete(event.id)
    } else if (event.kind === 'packet' && event.headers) {
      const { headers, iif } = event
      const tuple = tupleOf(headers, order.tuples)
      const packet: Draft = {
        space,
        hook: iif === undefined ? 'output' : 'prerouting',
        headers,
        ...(tuple >= 0 && { tuple }),
        ...(iif !== undefined && { iif }),
        steps: [],
      }
      packets.push(packet)
      current.set(event.id, packet)
    } else if (event.kind === 'rule' && known && chain === 'watched') {
      // a tunnel's headers don't tell what is inside, the rule that saw it does
      const [, tuple] = / comment "t(\d+)"$/.exec(event.text) ?? []
      if (tuple !== undefined && order.tuples[Number(tuple)]?.inside) known.tuple = Number(tuple)
    }
  }
  return packets
}

/**
 * A bridge whose port has shown a packet to PREROUTING hands it up to its host, where it has another id, of which the device is a part
 * (nft_trace: skb_iif): it goes on as the last one of that device, source and port that has not ended.
 */
function handedUp(event: TraceEvent, current: ReadonlyMap<string, Draft>): Draft | undefined {
  if (event.kind !== 'packet' || event.iif === undefined || event.chain === 'prerouting') return undefined
  const { iif, headers } = event
  return [...current.values()].findLast(
    (p) =>
      !p.end &&
      p.hook === 'prerouting' &&
      p.iif === iif &&
      headers?.src === p.headers.src &&
      headers.sport === p.headers.sport &&
      headers.proto === p.headers.proto,
  )
}

/** No packet changes its family on its way: headers of the other one have been misread. */
const trusted = (headers: TraceHeaders | undefined, first: TraceHeaders): TraceHeaders | undefined =>
  headers && headers.src.includes(':') === first.src.includes(':') ? headers : undefined

function stepOf(
  event: TraceEvent,
  first: TraceHeaders | undefined,
  handles: ReadonlyMap<number, number> | undefined,
): SeenStep | undefined {
  const { table, chain } = event
  switch (event.kind) {
    case 'packet': {
      const { iif, oif } = event
      const headers = first && trusted(event.headers, first)
      return headers && { kind: 'headers', table, chain, headers, ...(iif !== undefined && { iif }), ...(oif !== undefined && { oif }) }
    }
    case 'rule': {
      const { text, verdict, handle } = event
      const index = handle === undefined ? undefined : handles?.get(handle)
      return { kind: 'rule', table, chain, text, verdict, ...(handle !== undefined && { handle }), ...(index !== undefined && { index }) }
    }
    case 'policy':
      return { kind: 'policy', table, chain, verdict: event.verdict }
  }
}

/** The tuple that says most of these headers. */
function tupleOf(headers: TraceHeaders, tuples: readonly Tuple[]): number {
  let best = -1
  let most = -1
  for (const [i, tuple] of tuples.entries()) {
    const said = saidOf(headers, tuple)
    if (said > most) [best, most] = [i, said]
  }
  return best
}

const KEYS = ['src', 'dst', 'sport', 'dport'] as const

/** How many headers the tuple names; −1 if it is of other packets. */
function saidOf(headers: TraceHeaders, tuple: Tuple): number {
  if (tuple.inside || protocolNumbers[headers.proto] !== protocolNumber(tuple.proto)) return -1
  if (tuple.id !== undefined && headers.icmp?.id !== tuple.id) return -1
  let said = tuple.id === undefined ? 0 : 1
  for (const key of KEYS) {
    if (tuple[key] === undefined) continue
    if (tuple[key] !== headers[key]) return -1
    said++
  }
  return said
}
