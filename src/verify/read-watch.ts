import { parseTraceEvents } from '../kernel/nftables/trace-events.ts'
import { connectionsOf } from './connections.ts'
import { packetsOf } from './packets.ts'
import type { NodeSeen, Space, WatchOrder } from './types.ts'

/** Login shells may greet before the first line. */
const BANNER = 64 * 1024
const FIRST_LINE = 'netctl-watch 1\n'
const PARTS = ['trace', 'events', 'chains', 'counters'] as const
type Part = (typeof PARTS)[number]

/** What one space has told, piece by piece. */
type Told = Readonly<Record<Part, string>>

/**
 * Reads what the watch of a node printed, also one that was cut off or goes on: what has come counts. Whatever else the other end may say is passed over.
 * `armed` tells when probes may be sent.
 */
export function readWatch(output: Buffer, order: WatchOrder): NodeSeen & { readonly armed: boolean } {
  const pieces = order.spaces.map(() => new Map<Part, Buffer[]>())
  const notes: string[] = []
  const legacy = new Set<4 | 6>()
  let [armed, lost, disarmed] = [false, false, false]
  const start = output.subarray(0, BANNER).indexOf(FIRST_LINE)
  for (let at = start < 0 ? output.length : start + FIRST_LINE.length; at < output.length; ) {
    const newline = output.indexOf(10, at)
    if (newline < 0) break
    const line = output.toString('utf8', at, Math.min(newline, at + 1000))
    at = newline + 1
    const [word = '', rest = ''] = /^(\S+)(?: (.*))?$/.exec(line)?.slice(1) ?? []
    if (word === 'end') break
    if (word === 'armed') armed = true
    else if (word === 'disarmed') disarmed = true
    else if (word === 'lost') lost = true
    else if (word === 'note') notes.push(rest)
    else if (word === 'legacy') {
      const [space = '', family] = rest.split(' ')
      if (order.spaces[Number(space)] === 'node') legacy.add(family === '6' ? 6 : 4)
      notes.push(
        `${spaceText(order.spaces[Number(space)])}: rules of ip${family === '6' ? '6' : ''}tables-legacy are not traced by the kernel`,
      )
    } else if (word === 'part') {
      const [, kind = '', space = '', size = ''] = /^([a-z]+) (\d{1,3}) (\d{1,10})$/.exec(rest) ?? []
      const part = PARTS.find((p) => p === kind)
      const told = pieces[Number(space)]
      // where the next line begins can't be told any more
      if (!part || !told || size === '') break
      const end = at + Number(size)
      told.set(part, [...(told.get(part) ?? []), output.subarray(at, Math.min(end, output.length))])
      at = end + 1
    }
  }
  const spaces = order.spaces.map((space, i): readonly [Space, Told] => {
    const text = (part: Part) => Buffer.concat(pieces[i]?.get(part) ?? []).toString('utf8')
    return [space, { trace: text('trace'), events: text('events'), chains: text('chains'), counters: text('counters') }]
  })
  return {
    packets: spaces.flatMap(([space, told]) => packetsOf(parseTraceEvents(told.trace), chainsOf(told.chains), space, order)),
    connections: spaces.flatMap(([space, told]) => connectionsOf(told.events, space, order.tuples)),
    missing: notes,
    legacy: [...legacy],
    lost: lost || spaces.some(([, told]) => countOf(told.counters, 'matched') > countOf(told.counters, 'traced')),
    disarmed,
    armed,
  }
}

const spaceText = (space: Space | undefined): string =>
  space === undefined || space === 'node' ? 'node' : `${space.namespace}_${space.name}`

/** `ip filter INPUT 4 7 9`: handles of a chain's rules in order → which one each is. */
function chainsOf(text: string): ReadonlyMap<string, ReadonlyMap<number, number>> {
  const chains = new Map<string, ReadonlyMap<number, number>>()
  for (const line of text.split('\n')) {
    const [family, table, chain, ...handles] = line.split(' ')
    if (chain !== undefined) chains.set(`${family} ${table} ${chain}`, new Map(handles.map((handle, i) => [Number(handle), i])))
  }
  return chains
}

const countOf = (counters: string, name: string): number =>
  Number(new RegExp(`counter ${name} \\{\\s*packets (\\d+)`).exec(counters)?.[1] ?? 0)
