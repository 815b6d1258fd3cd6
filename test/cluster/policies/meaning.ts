/** What policies mean, from the objects alone, held against what the packets of a real cluster did. */
import { evaluate } from '../../../src/policy/evaluate.ts'
import { pathOf } from '../../../src/policy/path.ts'
import { resolveEnd } from '../../../src/policy/query/ends.ts'
import type { PolicyWorld } from '../../../src/policy/world.ts'
import type { Seen } from '../../fuzz/scenario.ts'
import { atHosts, contradiction, portOf, protocolOf, reached, type Truth } from '../../policy/packets.ts'
import { externalAddress, nodeAddress } from '../network.ts'
import type { ListedPod, PolicyFlow } from './flows.ts'

/** What is said wrongly of a flow. `hosts`: endpoints of hosts judge as well, what passes pods' policies may end there. */
export function misjudged(
  world: PolicyWorld,
  flow: PolicyFlow,
  seen: readonly Seen[],
  pods: readonly ListedPod[],
  hosts: boolean,
): readonly string[] {
  const truth = truthOf(flow, seen, pods)
  const toHost = truth.via === 'node'
  // what comes in by one node and goes back by another may be nobody's connection to the first
  if (!toHost) return contradiction(world, truth, hosts || flow.from.kind === 'external')
  return truth.from.kind === 'pod' ? leaving(world, truth, hosts) : atHosts(world, truth, false)
}

/** From a pod to a host, its own or another, or the outside. */
function leaving(world: PolicyWorld, truth: Truth, hosts: boolean): readonly string[] {
  const sender = resolveEnd(world, truth.from.name)
  const destination = resolveEnd(world, truth.dst)
  if (!sender || !destination || sender.endpoint?.kind !== 'pod') return []
  const source = { ...sender, addresses: sender.addresses.filter(({ family }) => (family === 6) === truth.dst.includes(':')) }
  const { egress } = evaluate(world, { source, destination, protocol: protocolOf(truth), ...portOf(truth) })
  const passed = truth.results.some(reached(truth))
  if (egress.verdict === 'deny' && passed) return [`reached ${truth.dst}, denied by ${pathOf(egress).join(', ')}`]
  const outside = (externalAddress as readonly string[]).includes(truth.dst)
  if (egress.verdict !== 'deny' && !passed && outside && !hosts)
    return [`did not reach ${truth.dst}, allowed by ${pathOf(egress).join(', ')}`]
  return []
}

function truthOf({ id, from, proto, dst, port }: PolicyFlow, seen: readonly Seen[], pods: readonly ListedPod[]): Truth {
  const pod = pods.find(({ metadata }) => from.kind === 'pod' && from.name === `${metadata.namespace}/${metadata.name}`)
  const isPod = pods.some(({ spec, status }) => !spec.hostNetwork && status.podIPs?.some(({ ip }) => ip === dst))
  const isHost = [...externalAddress, ...Array.from({ length: 3 }, (_, i) => nodeAddress(i)).flat()].some((ip) => ip === dst)
  const nodePort = port !== undefined && port >= 30000
  return {
    id,
    // a pod on its node's network is the node
    from: {
      kind: pod?.spec.hostNetwork ? 'node' : from.kind,
      name: pod?.spec.hostNetwork ? pod.spec.nodeName : from.name,
      ip: from.ip ?? '',
      ...(from.ip6 !== undefined && { ip6: from.ip6 }),
    },
    proto,
    dst,
    ...(port !== undefined && { port }),
    via: isPod ? 'pod' : isHost && !nodePort ? 'node' : 'svc',
    results: seen.map(resultOf),
  }
}

function resultOf(seen: Seen): Truth['results'][number] {
  switch (seen.kind) {
    case 'delivered':
      return {
        outcome: 'delivered',
        ...(seen.host?.startsWith('pod/') && { pod: seen.host.slice(4) }),
        ...(seen.src !== undefined && { seen_src: seen.src }),
        ...(seen.port !== undefined && { seen_dport: seen.port }),
      }
    case 'rst':
      return { outcome: 'refused', how: 'rst' }
    case 'icmp':
      return { outcome: 'refused', how: `icmp ${seen.type}/${seen.code} from ${seen.from}` }
    default:
      return { outcome: 'timeout' }
  }
}
