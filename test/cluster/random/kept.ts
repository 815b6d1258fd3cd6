/** Connections that are open while services change: what becomes of their next packets, by the entries of conntrack in the snapshot. */
import type { Snapshot } from '../../../src/snapshot/types.ts'
import { traceFlow } from '../../../src/trace/trace.ts'
import type { Outcome, Trace } from '../../../src/trace/types.ts'
import { compareProbe } from '../../fuzz/compare.ts'
import type { Seen } from '../../fuzz/scenario.ts'
import type { Agent } from '../../support/netns-agent.ts'
import { type NamespaceOf, onNode } from '../shop-truth.ts'
import type { RandomFlow } from './flows.ts'

export interface KeptFlow extends RandomFlow {
  readonly sourcePort: number
  readonly state: 'from-dump' | 'new'
}

/** below node ports, and those that clients get by chance (net.ipv4.ip_local_port_range) */
const firstPort = 20_000

/** Opens connections of these flows, each from a port of its own; those that may have a next packet. */
export async function openKept(agent: Agent, flows: readonly RandomFlow[], namespaceOf: NamespaceOf): Promise<readonly KeptFlow[]> {
  const opened = await Promise.all(
    flows.map(async (flow, i): Promise<readonly KeptFlow[]> => {
      const { id, from, proto, dst, port, source } = flow
      if (proto === 'icmp' || port === undefined || flow.payload !== undefined || flow.ask) return []
      const sourcePort = firstPort + i
      const first = await agent.keep(id, {
        ns: namespaceOf(from),
        proto,
        dst,
        port,
        sport: sourcePort,
        ...(source !== undefined && { source }),
        timeout: 2,
      })
      // the host outside closes what it was asked first when others come
      const open = proto === 'udp' ? first.kind !== 'errno' : first.kind === 'delivered' && first.host !== 'external'
      return open ? [{ ...flow, times: 1, source: first.own, sourcePort, state: 'from-dump' }] : []
    }),
  )
  return opened.flat()
}

/** A datagram whose entry kube-proxy has deleted begins a new connection. */
export function predictKept(snapshot: Snapshot, flow: KeptFlow): { readonly flow: KeptFlow; readonly trace: Trace } {
  const trace = traceFlow(snapshot, flow, { id: flow.id })
  const [outcome] = trace.outcomes
  if (flow.proto !== 'udp' || !outcome?.reason?.startsWith('no entry of this connection')) return { flow, trace }
  const anew: KeptFlow = { ...flow, state: 'new' }
  return { flow: anew, trace: traceFlow(snapshot, anew, { id: flow.id }) }
}

export interface Asked {
  readonly flow: KeptFlow
  readonly seen: Seen
  /** what differs, if anything */
  readonly how?: string
}

/** What became of the next packets. Each can be asked once: what it meets is not what the snapshot has any more. */
export async function askKept(flows: readonly KeptFlow[], traces: ReadonlyMap<string, Trace>, agent: Agent): Promise<readonly Asked[]> {
  return await Promise.all(
    flows.map(async (flow): Promise<Asked> => {
      const { id, from, proto, dst, port, sourcePort } = flow
      const outcomes = (traces.get(id)?.outcomes ?? []).map(onNode).map((outcome) => (proto === 'tcp' ? asErrno(outcome) : outcome))
      const seen = (await agent.again(id, outcomes.some(({ verdict }) => verdict === 'dropped') ? 1.5 : 5)) as readonly Seen[]
      const probe = { from: `${from.kind}/${from.name}`, proto, dst, sport: sourcePort, times: 1, ...(port !== undefined && { port }) }
      const finding = compareProbe(probe, outcomes, seen, true)
      const [first = { kind: 'dropped' } as const] = seen
      return { flow, seen: first, ...(finding.kind === 'differs' && { how: `${flow.state} ${flow.about}: ${finding.how}` }) }
    }),
  )
}

/** What an ICMP error is to a connection of TCP (net/ipv4/icmp.c, icmp_err_convert; net/ipv6/icmp.c, tab_unreach). */
const errnos: Readonly<Record<string, string>> = {
  '3/0': 'ENETUNREACH',
  '3/1': 'EHOSTUNREACH',
  '3/2': 'ENOPROTOOPT',
  '3/3': 'ECONNREFUSED',
  '3/9': 'ENETUNREACH',
  '3/10': 'EHOSTUNREACH',
  '3/13': 'EHOSTUNREACH',
  '1/0': 'ENETUNREACH',
  '1/1': 'EACCES',
  '1/3': 'EHOSTUNREACH',
  '1/4': 'ECONNREFUSED',
  '1/5': 'EACCES',
  '1/6': 'EACCES',
}

function asErrno(outcome: Outcome): Outcome {
  const errno = errnos[/^icmp (\d+\/\d+)/.exec(outcome.error ?? '')?.[1] ?? '']
  return errno === undefined ? outcome : { ...outcome, error: `errno ${errno}` }
}
