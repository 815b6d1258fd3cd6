/** The Service port behind a rule of kube-proxy. */

import type { Cluster } from '../../cluster/types.ts'
import type { Rule } from '../../kernel/iptables/types.ts'
import { parseServiceChain } from './chain-owner.ts'
import { endpointPortOf, servicePortOf } from './kube-proxy-names.ts'
import { comments } from './rule-owner.ts'

const name = String.raw`([a-z0-9][a-z0-9.-]*\/[a-z0-9][a-z0-9.-]*(?::[a-z0-9-]+)?)`

/** Comment texts that name a Service port (pkg/proxy/iptables/proxier.go). A bare name stands in KUBE-SEP- and KUBE-NODEPORTS rules. */
const texts: readonly RegExp[] = [
  new RegExp(
    `^${name}(?: cluster IP| external IP| loadbalancer IP| has no endpoints| has no local endpoints| health check node port| -> .*| traffic not accepted by .*)?$`,
  ),
  new RegExp(`^(?:masquerade traffic|masquerade LOCAL traffic|pod traffic|route LOCAL traffic) for ${name} external destinations$`),
  new RegExp(`^other traffic to ${name} will be dropped by KUBE-PROXY-FIREWALL$`),
]

/** `shop/web:http` from a comment of kube-proxy, or undefined. */
export function servicePortFromComment(text: string): string | undefined {
  for (const pattern of texts) {
    const found = pattern.exec(text)?.[1]
    if (found) return found
  }
  return undefined
}

/** `service/NS/NAME:PORT` of a rule in a chain of kube-proxy: from its comment, else from the hash in the chain's name. */
export function kubeProxyObject(chain: string, rule: Rule, cluster: Cluster): string | undefined {
  for (const text of comments(rule)) {
    const found = servicePortFromComment(text)
    if (found) return `service/${found}`
  }
  const found = fromChain(chain, rule, cluster)
  return found === undefined ? undefined : `service/${found}`
}

function fromChain(chain: string, rule: Rule, cluster: Cluster): string | undefined {
  const own = parseServiceChain(chain)
  if (own && own.role !== 'SEP') return servicePortOf(own.hash, cluster)
  if (own) {
    const at = endpointOf(rule)
    return at && endpointPortOf(own.hash, at.address, at.port, cluster)
  }
  const target = rule.target
  const jumped = target?.kind === 'jump' || target?.kind === 'goto' ? parseServiceChain(target.chain) : undefined
  return jumped && jumped.role !== 'SEP' ? servicePortOf(jumped.hash, cluster) : undefined
}

/** The endpoint that a rule of a KUBE-SEP- chain is about. */
function endpointOf(rule: Rule): { readonly address: string; readonly port?: number } | undefined {
  const target = rule.target
  if (target?.kind === 'nat' && target.to?.from) {
    return target.to.ports ? { address: target.to.from.text, port: target.to.ports.lo } : { address: target.to.from.text }
  }
  for (const m of rule.matches) if (m.kind === 'source' && !m.not) return { address: m.prefix.ip.text }
  return undefined
}
