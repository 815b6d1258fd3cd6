/** What the recorded tables do with a flow that policies were asked about: the meaning against the datapath. */

import type { Inventory } from '../cluster/inventory.ts'
import { resolveSource } from '../cluster/resolve.ts'
import { NetctlError } from '../error.ts'
import type { End, PolicyFlow } from '../policy/flow.ts'
import { ICMP, ICMPV6, protocolName, SCTP, TCP, UDP } from '../policy/protocols.ts'
import type { DatapathDifference } from '../policy/test/datapath.ts'
import type { Verdict } from '../policy/verdict.ts'
import type { Snapshot } from '../snapshot/types.ts'
import { traceFlow } from './trace.ts'
import type { Flow, Hop, Path, Trace } from './types.ts'

/** How the datapath differs from a verdict; undefined: it does what is meant. */
export function differenceOf(snapshot: Snapshot, inventory: Inventory, flow: PolicyFlow, meant: Verdict): DatapathDifference | undefined {
  if (meant.verdict === 'unknown' || meant.verdict === 'ambiguous')
    return { kind: 'unknown', flow, text: `what is meant is ${meant.verdict}: ${meant.reasons[0]?.message ?? 'the input leaves it open'}` }
  const asked = traceable(inventory, flow, meant)
  if (typeof asked === 'string') return { kind: 'unknown', flow, text: asked }
  const brief = traceFlow(snapshot, asked, { brief: true })
  if (meant.allowed && brief.outcomes.every(({ verdict }) => verdict === 'delivered')) return undefined
  return judged(flow, traceFlow(snapshot, asked), meant)
}

const PROTOS: ReadonlyMap<number, Flow['proto']> = new Map([
  [TCP, 'tcp'],
  [UDP, 'udp'],
  [SCTP, 'sctp'],
  [ICMP, 'icmp'],
  [ICMPV6, 'icmp'],
])

/** The same flow for the walk, or why it can't be walked. */
export function traceable(inventory: Inventory, flow: PolicyFlow, { destinationAddress }: Verdict): Flow | string {
  const proto = PROTOS.get(flow.protocol)
  if (!proto) return `${protocolName(flow.protocol)} is not walked`
  if (flow.staged) return 'staged policies are in no table'
  if (!destinationAddress) return `${flow.destination.id} has no address`
  try {
    const { from, source } = resolveSource(inventory, nameOf(flow.source), { namespace: 'default', family: destinationAddress.family })
    return {
      from,
      proto,
      dst: destinationAddress.text,
      ...(flow.port !== undefined && proto !== 'icmp' && { port: flow.port }),
      ...(source !== undefined && { source }),
    }
  } catch (error) {
    if (error instanceof NetctlError) return error.message
    throw error
  }
}

function nameOf({ id, endpoint, host, hostPod, node, addresses }: End): string {
  if (endpoint?.kind === 'pod' || hostPod) return `pod/${endpoint?.kind === 'pod' ? endpoint.id : id}`
  if (host && node !== undefined) return `node/${node}`
  return addresses[0]?.text ?? id
}

/** Ways of a packet that end in different ways are told by the first that is not as meant. */
function judged(flow: PolicyFlow, trace: Trace, meant: Verdict): DatapathDifference | undefined {
  const undecided = trace.outcomes.find(({ verdict }) => verdict === 'undecided')
  for (const path of trace.paths) {
    const fate = fateOf(path)
    if (fate === 'undecided' || (fate === 'passes') === meant.allowed || (fate === 'lost' && !meant.allowed)) continue
    return fate === 'passes' ? passing(flow, path) : stopped(flow, path, fate)
  }
  return undecided && { kind: 'unknown', flow, text: undecided.reason ?? 'the snapshot lacks what the walk needs' }
}

/** Whether policies let a packet pass: also one that finds nobody listening. */
function fateOf({ verdict, cause }: Path): 'passes' | 'blocked' | 'lost' | 'undecided' {
  if (verdict === 'undecided') return 'undecided'
  if (verdict === 'delivered' || cause?.kind === 'listener') return 'passes'
  return cause?.kind === 'policy' ? 'blocked' : 'lost'
}

function stopped(flow: PolicyFlow, { cause, verdict }: Path, kind: 'blocked' | 'lost'): DatapathDifference {
  const by = cause ? `${cause.object === undefined ? '' : `${cause.object}: `}${cause.entry} on ${cause.node}` : 'nothing says why'
  return { kind, flow, text: `${verdict} by ${by}`, ...(cause?.evidence && { place: cause.evidence }) }
}

/** The last entry of Calico's that had a say, which let pass what should not; there may be none at all. */
function passing(flow: PolicyFlow, { hops }: Path): DatapathDifference {
  const said = hops.findLast(isPolicy) ?? hops.findLast((hop) => hop.stage === 'filter' && hop.weight === 'decides')
  if (!said) return { kind: 'passes', flow, text: 'it gets there, and no rule of a filter judges it' }
  const { node, object, where, action, evidence } = said
  const by = isPolicy(said) ? `${object} (${where}: ${action})` : `${where}: ${action}; no policy's rule judges it`
  return { kind: 'passes', flow, text: `it gets there, last let pass by ${by} on ${node}`, ...(evidence && { place: evidence }) }
}

const isPolicy = ({ owner, object, stage }: Hop): boolean =>
  owner === 'calico' && stage === 'filter' && object !== undefined && /policy|^profile\//.test(object)
