/** A packet meets connection tracking (nf_conntrack_in): what it finds there depends on which packet of which connection it is. */
import type { ConntrackEntry } from '../../kernel/conntrack/types.ts'
import { findService } from '../../kernel/ipvs/find-service.ts'
import { tcpLoose } from '../../kernel/sysctl/effective.ts'
import { isIcmpError, type Packet } from '../../net/packet.ts'
import { conntrackOf, type Run, type Skb, Undecided } from '../run.ts'
import type { Place } from '../world.ts'
import { wording } from './dumped-connections.ts'
import type { Ct, Entry } from './entry.ts'

/** The entry of a packet on its host; the steps show the line of the dump that it is, or how it came to be. */
export function track(run: Run, skb: Skb): Ct {
  const { packet, place } = skb
  if ((run.state === 'new' && !run.known) || !tracks(skb)) {
    return conntrackOf(run, place).track(packet)
  }
  // what carries a flow from node to node is a connection of its own, which begins anew
  const own = packet.inner === undefined || isIcmpError(packet)
  const midstream = run.state !== 'new' && own && packet.tcp !== 'SYN'
  if (run.state === 'from-dump' && own) needDump(skb)
  const ct = conntrackOf(run, place).track(packet, {
    supposed: run.state === 'established' && own && !run.answering,
    midstream,
    loose: () => pickUp(run, skb),
    unknown: (reason) => run.choices.unknown(reason),
  })
  if (ct.kind === 'entry') noteEntry(run, skb, ct.entry)
  return ct
}

/** Connections are tracked where something asks for it (nf_ct_netns_get): in a namespace without rules nobody does. */
const tracks = ({ place: { host }, packet }: Skb): boolean =>
  host.kind === 'node' || host.conntrack !== undefined || (host.iptables[packet.family] ?? []).some((d) => d.tables.length > 0)

function needDump({ place, packet }: Skb): void {
  const { conntrack, dir, kind } = place.host
  if (kind === 'node' && !conntrack?.covers(packet.family))
    throw new Undecided(place.label, whatIsMissing(dir, place.label, packet, conntrack))
}

const whatIsMissing = (dir: string, label: string, { family }: Packet, dump: object | undefined): string =>
  dump
    ? `${dir}/conntrack.txt has no IPv${family} entries (conntrack -L -f ipv${family}): whether ${label} knows the connection is not known`
    : `${dir}/conntrack.txt is missing: whether ${label} knows the connection is not known`

/** May a TCP packet without an entry begin one, though it is no SYN? Asked once for each such packet. */
function pickUp(run: Run, skb: Skb): boolean {
  const { place } = skb
  const set = tcpLoose(place.host.sysctls)
  if (!set) run.assumptions.add(`${place.label}: nf_conntrack_tcp_loose is taken to be 1, as the kernel starts with it`)
  const loose = set?.value !== 0
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'conntrack',
    where: 'conntrack',
    action: loose
      ? 'no entry: picked up in mid-stream as a new connection (nf_conntrack_tcp_loose = 1)'
      : 'no entry, and none begins in mid-stream (nf_conntrack_tcp_loose = 0): INVALID',
    weight: 'changes',
    owner: 'kernel',
    ...(set && { source: set }),
  })
  return loose
}

function noteEntry(run: Run, skb: Skb, entry: Entry): void {
  const { place } = skb
  const { dumped } = entry
  const offload = dumped?.flags.find((f) => f.endsWith('OFFLOAD'))
  if (dumped && offload !== undefined) {
    const at = `${dumped.source.file}:${dumped.source.line}`
    throw new Undecided(
      place.label,
      `${at} is offloaded ([${offload}]): its packets pass ${place.label} by a flowtable, which is not modelled`,
    )
  }
  // IPVS gives a connection another end without the mark of destination NAT: it rewrites the packets itself
  if (dumped && entry.dnat && isVirtual(place, dumped)) entry.dnat = false
  if (entry.supposed) {
    run.assumptions.add(
      'the connection is taken to be known to every host that it passes, with the translations that its nat rules make today and no connection mark',
    )
  }
  if (!dumped || run.answering) return
  const { source } = dumped
  if (run.steps.some((s) => s.kind === 'entry' && s.source === source)) return
  const { action = `entry: ${wording(dumped)}`, choice } = run.chosen?.source === source ? run.chosen : {}
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'conntrack',
    where: 'conntrack',
    action,
    weight: 'changes',
    owner: 'kernel',
    source,
    connection: dumped,
    ...(choice && { choice }),
  })
}

function isVirtual({ host: { ipvs } }: Place, { proto, original: { dst, dport } }: ConntrackEntry): boolean {
  if (!ipvs || !dport || (proto !== 'tcp' && proto !== 'udp' && proto !== 'sctp')) return false
  return findService(ipvs.table, { proto, dst, dport: dport.lo, mark: 0 }) !== undefined
}
