/** Small makers of rules and clusters for the tests of attribution. */
import type { Cluster, Pod, PolicyRef, Service } from '../../../src/cluster/types.ts'
import type { Match, Rule, Target } from '../../../src/kernel/iptables/types.ts'
import { ip, type Prefix, parsePrefix } from '../../../src/net/ip.ts'

export const jump = (chain: string): Target => ({ kind: 'jump', chain })
export const verdict = (v: 'ACCEPT' | 'DROP' | 'RETURN'): Target => ({ kind: 'verdict', verdict: v })
export const dnat = (address: string, port: number): Target => ({
  kind: 'nat',
  target: 'DNAT',
  to: { from: ip(address), to: ip(address), ports: { lo: port, hi: port } },
  toText: `${address}:${port}`,
  flags: [],
})
export const comment = (text: string): Match => ({ kind: 'comment', text })
export const from = (cidr: string): Match => ({ kind: 'source', prefix: prefix(cidr) })
export const hash = comment('cali:wUHhoiAYhphO9Mso')

export function rule(matches: readonly Match[], target?: Target): Rule {
  return target ? { line: 1, matches, target } : { line: 1, matches }
}

export function prefix(text: string): Prefix {
  const p = parsePrefix(text)
  if (!p) throw new TypeError(text)
  return p
}

const source = { file: 'cluster/x.json', line: 1 }

export const policy = (kind: PolicyRef['kind'], name: string, namespace?: string, tier?: string): PolicyRef => ({
  source,
  kind,
  name,
  ...(namespace !== undefined && { namespace }),
  ...(tier !== undefined && { tier }),
})

export const pod = (namespace: string, name: string, address: string, node = 'n1'): Pod => ({
  source,
  namespace,
  name,
  node,
  ips: [ip(address)],
  hostNetwork: false,
  phase: 'Running',
  ready: true,
  labels: {},
  ports: [],
})

export const service = (namespace: string, name: string, clusterIp: string, ports: Service['ports']): Service => ({
  source,
  namespace,
  name,
  type: 'ClusterIP',
  clusterIps: [ip(clusterIp)],
  externalIps: [],
  loadBalancerIps: [],
  proxiedIps: [],
  sessionAffinity: false,
  externalTrafficPolicy: 'Cluster',
  internalTrafficPolicy: 'Cluster',
  ports,
  selector: undefined,
})

export const emptyCluster: Cluster = {
  pods: [],
  nodes: [],
  services: [],
  endpointSlices: [],
  namespaces: [],
  ipPools: [],
  ipamBlocks: [],
  policies: [],
  hostEndpoints: [],
  workloads: [],
  felix: undefined,
  nodeFelix: new Map(),
  files: [],
}
