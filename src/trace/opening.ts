/** Which packet is sent: the first of a new connection, or the next one of a connection that exists. */
import type { Ip } from '../net/ip.ts'
import { alike, findConnections, isClosing, isOver, wording } from './conntrack/dumped-connections.ts'
import type { Next } from './exchange.ts'
import { type Run, Undecided } from './run.ts'
import type { Flow } from './types.ts'
import type { World } from './world.ts'

export interface Opening {
  /** with the client's address and port, where an entry of a dump says them */
  readonly flow: Flow
  readonly next?: Next
}

/** What runs of this flow begin with. Throws Undecided in the run if the flow is to be that of an entry, and there is none to be found. */
export function openingOf(world: World, flow: Flow, dst: Ip): (run: Run) => Opening {
  switch (flow.state ?? 'new') {
    case 'new':
      return () => ({ flow })
    case 'established':
      return () => ({ flow, next: { tcp: 'ACK' } })
    case 'from-dump':
      return fromDump(world, flow, dst)
  }
}

function fromDump(world: World, flow: Flow, dst: Ip): (run: Run) => Opening {
  const search = findConnections(world, flow, dst)
  if (search.kind !== 'found') {
    return () => {
      if (search.kind === 'missing') throw new Undecided(search.place.label, search.reason)
      throw new Undecided(flow.from.name ?? '', `no entry of this connection in ${search.files.join(', ')}`)
    }
  }
  const groups = alike(world, search.connections)
  const all = search.connections.length
  return (run) => {
    const asked = run.choices.points.length
    const arm = run.choices.pick(
      groups.map((g) => g.count / all),
      `one of ${all} connections`,
    )
    const { place, entry, count } = groups[arm] as (typeof groups)[number]
    const choice = run.choices.since(asked)
    const { original, source, state } = entry
    const who = count === 1 ? 'entry' : `the first of ${count} entries alike`
    run.chosen = { source, action: `${who}: ${wording(entry)}`, ...(choice && { choice }) }
    if (isOver(entry)) run.assumptions.add(`the connection is over (${state}): the client's next packet from its port begins a new one`)
    if (isClosing(entry)) run.assumptions.add(`the connection is being closed (${state}): each side is taken to send once more`)
    const tcp = isOver(entry) || state?.startsWith('SYN_SENT') || state === 'NONE' ? 'SYN' : 'ACK'
    return {
      flow: {
        ...flow,
        source: original.src.text,
        ...(original.sport && { sourcePort: original.sport.lo }),
        ...(flow.from.kind === 'external' && place.host.kind === 'node' && { entryNode: place.host.name }),
      },
      next: { tcp, ...(original.icmp?.id !== undefined && { id: original.icmp.id }) },
    }
  }
}
