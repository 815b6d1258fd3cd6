/** Random policies of every kind for a real cluster, with what they refer to: tiers, network sets, host endpoints. */
import type { Random } from '../../kernel/random.ts'
import { networkSets, policyOf, tier } from '../../policy/random/cluster.ts'
import { labels, podLabels, portNames, portNumbers, tiers, times } from '../../policy/random/words.ts'
import { externalAddress, nodeAddress, podRange } from '../network.ts'
import type { Json } from '../shop.ts'
import { spaces } from './population.ts'

export interface DrawnPolicies {
  /** as kubectl creates them */
  readonly kubernetes: readonly Json[]
  /** as calicoctl applies them: tiers first */
  readonly calico: readonly Json[]
}

/** @param pods addresses, those of each pod: a list of one of each family */
export function drawPolicies(r: Random, nodes: number, families: number, pods: readonly (readonly string[])[]): DrawnPolicies {
  const kinds = r.pick([
    ['kubernetes'],
    ['kubernetes', 'cluster', 'cluster'],
    ['calico', 'global', 'global'],
    ['calico', 'global', 'global', 'staged'],
    ['kubernetes', 'cluster', 'calico', 'global'],
    ['kubernetes', 'cluster', 'calico', 'global'],
  ])
  const drawn = times(r, 1, r.pick([3, 6, 12]), (i) => policyOf(r, r.pick(kinds), r.pick(spaces), `q${i}`))
  const hosts = r.chance(0.35) ? hostEndpoints(r, nodes, families) : []
  const all = [...tiers.map((name) => tier(r, name)), ...networkSets(r, spaces), ...hosts, ...drawn]
  const here = JSON.parse(translated(JSON.stringify(all), nodes, pods)) as readonly (Json & { readonly apiVersion: string })[]
  const isCalico = ({ apiVersion }: { readonly apiVersion: string }) => apiVersion.includes('projectcalico.org')
  return { kubernetes: here.filter((object) => !isCalico(object)), calico: here.filter(isCalico) }
}

/** The words' blocks, as blocks of this cluster that hold as much: all pods, those of a node, a few, one; nodes; the outside. */
function translated(text: string, nodes: number, pods: readonly (readonly string[])[]): string {
  const [first = [], second = first] = pods
  const block = (ip: string) => ip.replace(/\d+$/, (host) => String(Number(host) & ~63))
  const pair = (ip: string) => ip.replace(/\d+$/, (host) => String(Number(host) & ~1))
  // of six an IPAM block is a /122, whose addresses differ in the last group only
  const block6 = (ip: string) => ip.replace(/[\da-f]+$/, (host) => (Number.parseInt(host, 16) & ~63).toString(16))
  const six = (ip = 'fd44::1') => ip
  const names: Readonly<Record<string, string>> = {
    '10.0.0.0/8': podRange[0],
    '10.0.0.0/23': `${block(first[0] ?? '')}/26`,
    '10.0.1.0/24': `${block(second[0] ?? '')}/26`,
    '10.0.1.0/31': `${pair(second[0] ?? '')}/31`,
    '10.0.1.2/32': `${first[0]}/32`,
    '192.168.0.0/30': '172.30.0.8/29',
    '203.0.113.0/24': '172.30.0.96/28',
    '203.0.113.7/32': `${externalAddress[0]}/32`,
    'fd00::/16': podRange[1],
    'fd00:0:0:1::/64': `${block6(six(second[1]))}/122`,
    'fd00:0:0:1::2/128': `${six(first[1])}/128`,
    'fd00:0:0:ff::/126': `${nodeAddress(nodes - 1)[1]}/127`,
    '2001:db8::/32': `${externalAddress[1]}/128`,
  }
  return text.replace(/"([\da-f:.]+\/\d+)"/g, (_, net: string) => `"${canonical(names[net] ?? net)}"`)
}

/** `fd30::11/127` begins with `fd30::10` */
function canonical(net: string): string {
  const [ip = '', length = ''] = net.split('/')
  return length === '127' ? `${ip.replace(/[\da-f]+$/, (host) => (Number.parseInt(host, 16) & ~1).toString(16))}/127` : net
}

function hostEndpoints(r: Random, nodes: number, families: number): readonly Json[] {
  return times(r, nodes, nodes, (i) => ({
    apiVersion: 'projectcalico.org/v3',
    kind: 'HostEndpoint',
    metadata: { name: `host-${i + 1}`, labels: labels(r, podLabels) },
    spec: {
      node: `node${i + 1}`,
      // `*` has loopback as well, by which kubelets speak with their runtimes: nodes could not be read
      interfaceName: 'eth0',
      expectedIPs: nodeAddress(i).slice(0, families),
      ...(r.chance(0.7) && { profiles: ['projectcalico-default-allow'] }),
      ...(r.chance(0.4) && { ports: [{ name: r.pick(portNames), protocol: r.pick(['TCP', 'UDP']), port: r.pick(portNumbers) }] }),
    },
  })).filter(() => r.chance(0.7))
}

/** For nftables Felix writes a rule with an ICMP code in words that nft does not know (`icmp type 8 code 0`), and all it would write from then on with it. */
export const withoutCodes = ({ calico, ...others }: DrawnPolicies): DrawnPolicies => ({
  ...others,
  calico: JSON.parse(JSON.stringify(calico, (key, value) => (key === 'code' ? undefined : value))),
})

/** What all Felixes do from now on; those that have something else start anew. Nodes are read by their kubelets, so these are open whatever a policy says. */
export function drawFelix(r: Random): Json {
  const open = [22, 179, 2379, 2380, 5473, 6443, 10250].map((port) => ({ protocol: 'TCP', port }))
  return {
    nftablesMode: r.pick(['Enabled', 'Disabled', 'Disabled']),
    defaultEndpointToHostAction: r.pick(['Accept', 'Accept', 'Return', 'Drop']),
    chainInsertMode: r.pick(['Insert', 'Insert', 'Append']),
    failsafeInboundHostPorts: open,
  }
}

/** How pods of the pools reach each other and the outside. */
export const drawPool = (r: Random): Json => ({ natOutgoing: r.chance(0.7), vxlanMode: r.pick(['Always', 'CrossSubnet']) })
