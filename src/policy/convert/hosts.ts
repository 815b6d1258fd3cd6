import { inheriting, labelMap } from '../../cluster/selector/labels.ts'
import { type Prefix, parseIp, parsePrefix } from '../../net/ip.ts'
import type { Loaded } from '../build.ts'
import type { Profile } from '../model.ts'
import type { Node } from '../resources/cluster-objects.ts'
import type { NodeAddresses, Pool } from '../world.ts'
import type { NewEndpoint } from './pods.ts'

/** HostEndpoints: their own labels, and those that their profiles hand on. */
export function hostEndpoints(input: readonly Loaded[], profileLabels: ReadonlyMap<string, ReadonlyMap<string, string>>): NewEndpoint[] {
  return input.flatMap(({ resource, object }): NewEndpoint[] => {
    if (resource.kind !== 'HostEndpoint') return []
    const { metadata, node, interfaceName, expectedIPs, profiles, ports } = resource
    return [
      {
        kind: 'host',
        id: `hep:${metadata.name}`,
        name: metadata.name,
        labels: inheriting(
          labelMap(metadata.labels),
          profiles.flatMap((name) => profileLabels.get(name) ?? []),
        ),
        addresses: expectedIPs.flatMap((text) => parseIp(text) ?? []),
        ports,
        profiles,
        node,
        ...(interfaceName !== undefined && { interfaceName }),
        origin: { object, path: [] },
      },
    ]
  })
}

/** Addresses that a process of the node may have: its own, and those of Calico's tunnels. */
export function nodes(input: readonly Loaded[]): NodeAddresses[] {
  return input.flatMap(({ resource, object }) =>
    resource.kind === 'Node'
      ? [
          {
            name: resource.metadata.name,
            labels: labelMap(resource.metadata.labels),
            addresses: addressesOf(resource),
            subnets: subnetsOf(resource),
            origin: { object, path: [] },
          },
        ]
      : [],
  )
}

const TUNNELS = [
  'IPv4IPIPTunnelAddr',
  'IPv4VXLANTunnelAddr',
  'IPv6VXLANTunnelAddr',
  'IPv4WireguardInterfaceAddr',
  'IPv6WireguardInterfaceAddr',
]

function addressesOf({ addresses, metadata }: Node) {
  const tunnels = TUNNELS.flatMap((name) => parseIp(metadata.annotations[`projectcalico.org/${name}`] ?? '') ?? [])
  return [...addresses.map(({ ip }) => ip), ...tunnels]
}

/** Where calico-node says which subnets a node's own addresses are in (node/pkg/lifecycle/startup). */
function subnetsOf({ metadata: { annotations } }: Node): readonly Prefix[] {
  return ['IPv4Address', 'IPv6Address'].flatMap((name) => parsePrefix(annotations[`projectcalico.org/${name}`] ?? '') ?? [])
}

/** Calico's pools. */
export function pools(input: readonly Loaded[]): Pool[] {
  return input.flatMap(({ resource }) =>
    resource.kind === 'IPPool' && resource.cidr ? [{ cidr: resource.cidr, tunnel: resource.tunnel }] : [],
  )
}

/** The profile that host endpoints made by kube-controllers carry (api/pkg/apis/projectcalico/v3). */
export const DEFAULT_ALLOW: Profile = allWith('projectcalico-default-allow', 'allow')

/** A profile with one rule, both ways, for all packets. */
export function allWith(name: string, action: 'allow' | 'deny'): Profile {
  const rule = { index: 0, action, source: {}, destination: {} } as const
  return { name, ingressRules: [rule], egressRules: [rule] }
}
