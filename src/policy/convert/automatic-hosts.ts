import { matches } from '../../cluster/selector/evaluate.ts'
import { labelMap } from '../../cluster/selector/labels.ts'
import { contains, type Ip } from '../../net/ip.ts'
import type { Loaded } from '../build.ts'
import type { NodeAddresses } from '../world.ts'
import { DEFAULT_ALLOW } from './hosts.ts'
import type { NewEndpoint } from './pods.ts'
import { prefixes } from './prefixes.ts'

/**
 * Host endpoints that Calico's kube-controllers will make of nodes (kube-controllers/pkg/controllers/node/hostendpoints.go), where the
 * input does not have them already. Templates with an interfacePattern need the nodes' devices, which no manifest has.
 */
export function automaticHosts(input: readonly Loaded[], nodes: readonly NodeAddresses[], there: ReadonlySet<string>): NewEndpoint[] {
  return input.flatMap(({ resource }) => {
    if (resource.kind !== 'KubeControllersConfiguration' || resource.metadata.name !== 'default' || !resource.hostEndpoints) return []
    const { createDefault, templates } = resource.hostEndpoints
    const made: NewEndpoint[] = createDefault ? nodes.map((node) => ({ ...host(node, '', node.addresses, {}), interfaceName: '*' })) : []
    for (const { generateName, interfaceCIDRs, interfacePattern, labels, nodeSelector } of templates) {
      if (interfacePattern !== '') continue
      const cidrs = prefixes(interfaceCIDRs)
      for (const node of nodes) {
        if (nodeSelector && !matches(nodeSelector, node.labels)) continue
        const addresses = node.addresses.filter((address) => cidrs.some((cidr) => contains(cidr, address)))
        if (addresses.length > 0) made.push(host(node, `${generateName}-`, addresses, labels))
      }
    }
    return made.filter(({ name }) => !there.has(name))
  })
}

function host(node: NodeAddresses, template: string, addresses: readonly Ip[], labels: Readonly<Record<string, string>>): NewEndpoint {
  const name = `${node.name}-${template}auto-hep`
  return {
    kind: 'host',
    id: `hep:${name}`,
    name,
    labels: new Map([...node.labels, ...labelMap(labels), ['projectcalico.org/created-by', 'calico-kube-controllers']]),
    addresses,
    ports: [],
    profiles: [DEFAULT_ALLOW.name],
    node: node.name,
    origin: node.origin,
  }
}
