import type { Ip } from '../net/ip.ts'
import { hasForwardPolicies } from './applied.ts'
import type { End, PolicyFlow } from './flow.ts'
import { protocolName, TCP, UDP } from './protocols.ts'
import { goesByTunnel } from './tunnelled.ts'
import type { PolicyWorld } from './world.ts'

const NONE: readonly string[] = []

/** What should be known beside a verdict: things that are no policy, and yet decide or mislead. */
export function remarks(world: PolicyWorld, flow: PolicyFlow, to: Ip | undefined): readonly string[] {
  const { source, destination } = flow
  const forward = hasForwardPolicies(world)
  if (isPlain(source) && isPlain(destination) && flow.class === undefined && !forward) return NONE
  const found = [source.note, destination.note].filter((note) => note !== undefined)
  if (source.hostPod && sameNode(flow))
    found.push(`policies aside, what runs on the host's network of ${source.node} reaches the pods of ${source.node}`)
  if (forward && crossesNodes(flow))
    found.push('host endpoints have policies for forwarded traffic, which are not judged here: ask with class forward')
  found.push(...failsafe(flow), ...toHost(world, flow), ...perhapsByTunnel(world, flow, to))
  return found
}

const isPlain = ({ note, host, endpoint }: End): boolean => note === undefined && host === undefined && endpoint?.kind !== 'host'

/** A process of the host and a pod of the same node. */
export function sameNode({ source, destination }: PolicyFlow): boolean {
  return source.host === true && source.node !== undefined && destination.endpoint?.kind === 'pod' && destination.node === source.node
}

function crossesNodes({ source, destination, class: hook }: PolicyFlow): boolean {
  const pods = [source, destination].filter(({ endpoint }) => endpoint !== undefined && endpoint.kind !== 'host')
  return (
    hook === undefined &&
    pods.length > 0 &&
    !source.host &&
    !destination.host &&
    (source.node === undefined || source.node !== destination.node)
  )
}

/** FailsafeInboundHostPorts and FailsafeOutboundHostPorts as they are if nobody changes them (felix/config/config_params.go). */
const INBOUND = new Map([
  [TCP, [22, 179, 2379, 2380, 5473, 6443, 6666, 6667]],
  [UDP, [68]],
])
const OUTBOUND = new Map([
  [TCP, [179, 2379, 2380, 5473, 6443, 6666, 6667]],
  [UDP, [53, 67]],
])

function* failsafe({ source, destination, protocol, port }: PolicyFlow): Iterable<string> {
  if (port === undefined) return
  const open = (end: End, ports: ReadonlyMap<number, readonly number[]>): boolean =>
    end.endpoint?.kind === 'host' && ports.get(protocol)?.includes(port) === true
  if (open(source, OUTBOUND) || open(destination, INBOUND))
    yield `${protocolName(protocol)} port ${port} is one of Felix's failsafe ports by default: open at host endpoints whatever policies say`
}

/** A pod's packets to its own node meet one more decision, after its egress policies (felix/rules/static.go, cali-wl-to-host). */
function* toHost({ endpointToHost }: PolicyWorld, { source, destination }: PolicyFlow): Iterable<string> {
  if (source.endpoint?.kind !== 'pod' || source.node === undefined || source.node !== destination.node) return
  if (!destination.host && destination.endpoint?.kind !== 'host') return
  yield `what a pod sends to its own node then meets Felix's DefaultEndpointToHostAction: ${endpointToHost ?? 'Drop, unless set otherwise'}`
}

/** Whether a host endpoint is asked at all may depend on the way to the pod's node. */
function* perhapsByTunnel(world: PolicyWorld, flow: PolicyFlow, to: Ip | undefined): Iterable<string> {
  if (flow.class !== undefined || goesByTunnel(world, flow, to) !== undefined) return
  yield `if packets from ${flow.source.node ?? flow.source.id} to ${flow.destination.id} go into a tunnel (VXLAN, IP in IP), ${flow.source.endpoint?.id} is not asked: it has no say about the tunnel's device`
}
