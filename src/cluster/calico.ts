import { fromWords, type Ip, type Prefix, parsePrefix } from '../net/ip.ts'
import { arr, type Item, num, rec, str } from './items.ts'
import type { HostEndpoint, IpamBlock, IpPool, PolicyRef, Workload } from './types.ts'

/* Calico's objects, as custom resources (crd.projectcalico.org) and as its API server gives them (projectcalico.org): the specs agree. */

/** IPPool; none if its CIDR is not one. */
export function ipPool(item: Item): IpPool[] {
  const { spec } = item
  const cidr = parsePrefix(str(spec.cidr) ?? '')
  if (!cidr) return []
  return [
    {
      get source() {
        return item.source()
      },
      name: item.name,
      cidr,
      ipipMode: str(spec.ipipMode) ?? 'Never',
      vxlanMode: str(spec.vxlanMode) ?? 'Never',
      natOutgoing: spec.natOutgoing === true,
      disabled: spec.disabled === true,
    },
  ]
}

/** IPAMBlock; none if its CIDR is not one. */
export function ipamBlock(item: Item): IpamBlock[] {
  const { spec } = item
  const cidr = parsePrefix(str(spec.cidr) ?? '')
  if (!cidr) return []
  const affinity = str(spec.affinity)
  const node = affinity?.startsWith('host:') ? affinity.slice(5) : undefined
  return [
    {
      get source() {
        return item.source()
      },
      cidr,
      ...(node && { node }),
      allocations: allocations(item, cidr),
    },
  ]
}

function allocations(item: Item, cidr: Prefix): IpamBlock['allocations'] {
  const attributes = arr(item.spec.attributes).map(rec)
  const given = new Map<string, { pod?: string; node?: string; kind?: string; line: number }>()
  for (const [offset, index] of arr(item.spec.allocations).entries()) {
    const attribute = attributes[num(index) ?? -1]
    if (index === null || attribute === undefined) continue
    // what older and newer Calico call the same: `handle_id`/`secondary`, `HandleID`/`ActiveOwnerAttrs`
    const handle = str(attribute.handle_id) ?? str(attribute.HandleID) ?? ''
    const owner = rec(attribute.secondary ?? attribute.ActiveOwnerAttrs)
    const pod = str(owner.pod) && `${str(owner.namespace) ?? 'default'}/${str(owner.pod)}`
    const node = str(owner.node)
    const kind = str(owner.type)
    given.set(at(cidr, offset).text, {
      ...(pod && { pod }),
      ...(node && { node }),
      ...(kind && { kind }),
      get line() {
        return item.sourceOf(`"${handle}"`).line
      },
    })
  }
  return given
}

/** Address number `offset` of a block: blocks have at most 65,536 addresses, so only the last word changes. */
function at(cidr: Prefix, offset: number): Ip {
  const { family, a, b, c, d } = cidr.ip
  return fromWords(family, a & cidr.ma, b & cidr.mb, c & cidr.mc, ((d & cidr.md) + offset) | 0)
}

/** HostEndpoint. */
export function hostEndpoint(item: Item): HostEndpoint {
  const name = str(item.spec.interfaceName)
  return {
    get source() {
      return item.source()
    },
    name: item.name,
    node: str(item.spec.node) ?? '',
    ...(name && { interfaceName: name }),
  }
}

/** WorkloadEndpoint; none if it is of no pod. */
export function workload(item: Item): Workload[] {
  const { spec } = item
  const pod = str(spec.pod)
  if (!pod) return []
  return [
    {
      get source() {
        return item.source()
      },
      node: str(spec.node) ?? '',
      pod: `${item.namespace || 'default'}/${pod}`,
      interfaceName: str(spec.interfaceName) ?? '',
    },
  ]
}

/** A policy of any API, as far as it is named and put in order. */
export function policy(item: Item, kind: PolicyRef['kind']): PolicyRef {
  const calico = kind === 'CalicoNetworkPolicy' || kind === 'GlobalNetworkPolicy' || kind === 'StagedPolicy'
  const tier = str(item.spec.tier) ?? (calico ? 'default' : undefined)
  return {
    get source() {
      return item.source()
    },
    kind,
    ...(item.namespace && { namespace: item.namespace }),
    name: item.name,
    ...(tier && { tier }),
  }
}
