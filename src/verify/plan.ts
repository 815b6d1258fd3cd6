/** Who is to watch for what, and what is to be sent, so that a prediction meets the kernel. */
import type { Snapshot } from '../snapshot/types.ts'
import type { Leg } from '../trace/legs.ts'
import type { Flow, Trace } from '../trace/types.ts'
import { tupleOf } from './tuple.ts'
import type { Probe, Space, Tuple, WatchOrder } from './types.ts'

/** What one node is to watch for and to send. */
export interface NodePlan {
  readonly node: string
  readonly order: WatchOrder
  readonly probes: readonly Probe[]
}

/** One flow of a run: who sends its packet, or why nobody can. */
export interface FlowPlan {
  /** with legs, for the very port that the probe is sent from */
  readonly trace: Trace
  readonly probe?: Probe & { readonly node: string }
  readonly unable?: string
}

/** One run of verification: who watches and sends what, for how long. */
export interface Plan {
  readonly id: string
  readonly seconds: number
  readonly nodes: readonly NodePlan[]
  readonly flows: readonly FlowPlan[]
}

/** What a plan needs besides the traces. */
export interface PlanOptions {
  /** of the run: eight or more of [a-z0-9], by chance */
  readonly id: string
  /** nothing is sent: real packets are waited for, so long at most */
  readonly catchMs?: number
}

/** between the last answer and the end of the watch: what the kernel has told is on its way */
export const SETTLE_MS = 400
/** Probes at once on one node. */
export const PROBES_AT_ONCE = 16
/** A connection attempt that meets silence says its SYN again after one second: that is one more packet to be seen, no other answer. */
const PATIENCE_MS = { answered: 3000, silent: 1500, unreachable: 4500 } as const
/** Where legs are watched: nodes, and pods with rules of their own on their node. Others have nothing to be seen. */
export function spaceOf({ hosts, cluster }: Snapshot, id: string): { readonly node: string; readonly space: Space } | undefined {
  const host = hosts.get(id)
  if (!host) return undefined
  if (host.kind === 'node') return { node: host.name, space: 'node' }
  if (host.kind !== 'pod' || !hasRules(host)) return undefined
  const pod = cluster.pods.find((p) => `${p.namespace}/${p.name}` === host.name)
  return pod?.node === undefined ? undefined : { node: pod.node, space: { namespace: pod.namespace, name: pod.name } }
}

const hasRules = ({ iptables, nft }: NonNullable<ReturnType<Snapshot['hosts']['get']>>): boolean =>
  [4, 6].some((family) => (iptables[family as 4 | 6] ?? []).some((d) => d.tables.length > 0)) || (nft?.tables.length ?? 0) > 0

/** Plans a run for flows that were traced with `legs`, each from a port of its own. */
export function planOf(snapshot: Snapshot, traces: readonly Trace[], { id, catchMs }: PlanOptions): Plan {
  const flows = traces.map((trace, i): FlowPlan => (catchMs === undefined ? { trace, ...probeOf(snapshot, trace, i) } : { trace }))
  const probes = flows.flatMap((f) => f.probe ?? [])
  const waits = Math.max(0, ...probes.map((p) => p.patienceMs))
  const seconds = Math.ceil((catchMs ?? Math.ceil(probes.length / PROBES_AT_ONCE) * waits) / 1000) + 20
  const watched = new Map<string, Watching>()
  const at = (node: string) => {
    let found = watched.get(node)
    if (!found) watched.set(node, (found = { tuples: new Map(), spaces: new Map(), errorsTo: new Set() }))
    return found
  }
  for (const { trace, unable } of flows) {
    if (unable !== undefined) continue
    for (const leg of trace.paths.flatMap((p) => p.legs ?? [])) watch(snapshot, leg, trace.flow, at)
  }
  for (const { node } of probes) at(node)
  const nodes = [...watched].map(([node, { tuples, spaces, errorsTo }]) => ({
    node,
    order: { id, seconds, tuples: [...tuples.values()], spaces: [...spaces.values()], errorsTo: [...errorsTo] },
    probes: probes.flatMap(({ node: on, ...probe }) => (on === node ? [probe] : [])),
  }))
  return { id, seconds, nodes: nodes.sort((a, b) => (a.node < b.node ? -1 : 1)), flows }
}

/** What is gathered of one node's order. */
interface Watching {
  readonly tuples: Map<string, Tuple>
  readonly spaces: Map<string, Space>
  readonly errorsTo: Set<string>
}

function watch(snapshot: Snapshot, { host, packet }: Leg, { sourcePort }: Flow, at: (node: string) => Watching): void {
  const where = spaceOf(snapshot, host)
  if (!where) return
  const { tuples, spaces, errorsTo } = at(where.node)
  spaces.set(JSON.stringify(where.space), where.space)
  // an ICMP error
  if (packet.inner && !packet.tunnel) return void errorsTo.add(packet.dst.text)
  const tuple = tupleOf(packet, sourcePort)
  if (tuple) tuples.set(JSON.stringify(tuple), tuple)
}

/** What can be sent, and from where; a process of the node's own stands for pods on its network. */
function probeOf(snapshot: Snapshot, { flow, outcomes }: Trace, index: number): Pick<FlowPlan, 'probe' | 'unable'> {
  const { from, proto, dst, port, source, sourcePort = 0, payload, state = 'new' } = flow
  if (state !== 'new') return { unable: 'a probe makes a connection of its own: only the first packet of a new one can be sent' }
  if (proto === 'sctp') return { unable: 'there is no probe for SCTP; --catch waits for a real packet' }
  if (proto === 'tcp' && payload !== undefined) return { unable: 'a TCP probe has no size of its own' }
  const sender = senderOf(snapshot, from)
  if ('unable' in sender) return sender
  const fates = new Set(outcomes.map((o) => o.verdict))
  const patienceMs = fates.has('unreachable')
    ? PATIENCE_MS.unreachable
    : fates.has('dropped') && fates.size === 1
      ? PATIENCE_MS.silent
      : PATIENCE_MS.answered
  return {
    probe: {
      ...sender,
      id: `p${index}`,
      proto,
      dst,
      sport: sourcePort,
      patienceMs,
      ...(source !== undefined && { src: source }),
      ...(port !== undefined && proto !== 'icmp' && { dport: port }),
      ...(proto === 'udp' && { data: port === 53 ? DNS_QUERY : GREETING }),
      ...(payload !== undefined && { size: payload }),
    },
  }
}

function senderOf({ hosts, cluster }: Snapshot, { kind, name }: Flow['from']): { node: string; space: Space } | { unable: string } {
  if (kind === 'node' && name !== undefined) return { node: name, space: 'node' }
  if (kind === 'external' || name === undefined)
    return {
      unable: `${name === undefined ? 'the client' : `external/${name}`} is no machine of the cluster; --catch waits for its next packet`,
    }
  const pod = cluster.pods.find((p) => `${p.namespace}/${p.name}` === name)
  if (pod?.node === undefined) return { unable: `pod/${name} runs on no node` }
  if (pod.hostNetwork) return { node: pod.node, space: 'node' }
  if (!hosts.get(`node/${pod.node}`)) return { unable: `${pod.node}, the node of pod/${name}, could not be read` }
  return { node: pod.node, space: { namespace: pod.namespace, name: pod.name } }
}

/** A query for the name servers of the root (RFC 1035 §4.1): every DNS server answers it, if only with a refusal. */
const DNS_QUERY = '6e63010000010000000000000000020001'
/** `netctl` and a newline: an echo server sends it back, others may say nothing */
const GREETING = '6e657463746c0a'
