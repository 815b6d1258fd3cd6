/** Comments of rules: agents' own texts stay, with the names in them replaced; of any other only that there is one. */
import { digits } from './secret.ts'
import type { Words } from './words.ts'

/** Texts of Felix, kube-proxy and kubelet that name nothing. */
const FIXED: ReadonlySet<string> = new Set(
  `kubernetes forwarding rules
kubernetes forwarding conntrack rule
kubernetes service portals
kubernetes service nodeports; NOTE: this must be the last rule in this chain
kubernetes externally-visible service portals
kubernetes health check service ports
kubernetes load balancer firewall
kubernetes postrouting rules
kubernetes service traffic requiring SNAT
kubernetes firewall for dropping marked packets
kubernetes ipvs access filter
block incoming localnet connections
Kubernetes service cluster ip + port for masquerade purpose
Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose
Kubernetes service external ip + port for masquerade and filter purpose
Kubernetes nodeport TCP port for masquerade purpose
Kubernetes nodeport UDP port for masquerade purpose
Kubernetes service lb portal
Kubernetes service load balancer ip + port for load balancer with sourceRange
Kubernetes service load balancer ip + port with externalTrafficPolicy=local
Kubernetes health check node port
masquerade
masquerade local traffic
masquerade clusterIP traffic from outside cluster
masquerade all clusterIP traffic
short-circuit pod traffic
short-circuit local traffic
vmap to drop or reject packets to services with no endpoints
vmap to drop or reject packets to service nodeports with no endpoints
service hairpin connections
rules for kube-proxy
helper for @no-endpoint-services / @no-endpoint-nodeports
destinations that are subject to LoadBalancerSourceRanges
Reject traffic to invalid ports of ClusterIPs
NodePort traffic
ClusterIP, ExternalIP and LoadBalancer IP traffic
Active ClusterIPs
Active ExternalIPs
IPs that accept NodePort traffic
Drop traffic to unallocated ClusterIPs
Return if profile accepted
Return if policy accepted
Drop if no profiles matched
Reject if no profiles matched
Host endpoint policy accepted packet.
Drop VXLAN encapped packets originating in workloads
Reject VXLAN encapped packets originating in workloads
Drop IPinIP encapped packets originating in workloads
Reject IPinIP encapped packets originating in workloads
Unknown interface
set dscp for traffic leaving cluster.
Policy explicitly accepted packet.
Drop IPv4 VXLAN packets from non-allowed hosts
Allow IPv4 VXLAN packets to other allowed hosts
Allow IPv4 VXLAN packets from allowed hosts
Drop IPv6 VXLAN packets from non-allowed hosts
Allow IPv6 VXLAN packets to other allowed hosts
Allow IPv6 VXLAN packets from allowed hosts
Allow IPIP packets from Calico hosts
Allow IPIP packets to other Calico hosts
Drop IPIP packets from non-Calico hosts
Allow incoming IPv4 Wireguard packets
Allow outgoing IPv4 Wireguard packets
Allow incoming IPv6 Wireguard packets
Allow outgoing IPv6 Wireguard packets
Configured DefaultEndpointToHostAction
Admin down
Pass packet to next tier
Unknown endpoint`.split('\n'),
)

/** A Service port: `shop/web:http` */
const PORT = String.raw`[a-z0-9][a-z0-9.-]*\/[a-z0-9][a-z0-9.-]*(?::[a-z0-9-]+)?`
/** Texts of kube-proxy about one, as attribution knows them: what stands before it, the Service port, what stands behind it. */
const ABOUT_PORT: readonly RegExp[] = [
  new RegExp(`^()(${PORT})( cluster IP| external IP| loadbalancer IP| has no endpoints| has no local endpoints| health check node port)?$`),
  new RegExp(`^((?:masquerade traffic|masquerade LOCAL traffic|pod traffic|route LOCAL traffic) for )(${PORT})( external destinations)$`),
  new RegExp(`^(other traffic to )(${PORT})( will be dropped by KUBE-PROXY-FIREWALL)$`),
  new RegExp(`^()(${PORT})( traffic not accepted by KUBE-FW-[A-Z2-7]{16})$`),
]
const TO_ENDPOINT = new RegExp(`^(${PORT}) -> (\\S+)$`)
/** Felix's, of which some releases put text behind the hash in the same comment. */
const HASH = /^(cali:)([A-Za-z0-9_-]{16})(?:(;)(?: (.*))?)?$/
const TIER = /^((?:Start|End) of tier )(\S+?)(\. (?:Drop|Reject) if no policies passed packet)?$/
const PROFILE = /^(Profile )(\S+)( (?:ingress|egress))$/
const POLICY = /^((?:Policy )?[A-Z][A-Za-z]+ )(\S+)( (?:ingress|egress))$/

/** What becomes of a rule's comment. */
export function comment(text: string, words: Words): string {
  if (text === '' || FIXED.has(text)) return text
  const felix = HASH.exec(text)
  if (felix) {
    const hash = `cali:${digits(words.secret, 'base64url', text, 16)}`
    if (felix[3] === undefined) return hash
    return `${hash};${felix[4] === undefined ? '' : ` ${comment(felix[4], words)}`}`
  }
  return ofKubeProxy(text, words) ?? ofFelix(text, words) ?? words.names.name(text)
}

function ofKubeProxy(text: string, words: Words): string | undefined {
  const { agents, names } = words
  for (const pattern of ABOUT_PORT) {
    const [, before = '', port, behind = ''] = pattern.exec(text) ?? []
    if (port === undefined) continue
    const chain = /KUBE-FW-\S+$/.exec(behind)?.[0]
    return before + agents.servicePort(port) + (chain === undefined ? behind : behind.replace(chain, agents.name(chain)))
  }
  const [, port, endpoint] = TO_ENDPOINT.exec(text) ?? []
  if (port === undefined || endpoint === undefined) return undefined
  return `${agents.servicePort(port)} -> ${words.plain(endpoint) ?? names.name(endpoint)}`
}

function ofFelix(text: string, { agents, names }: Words): string | undefined {
  const tier = TIER.exec(text)
  if (tier) return `${tier[1]}${names.name(tier[2] as string)}${tier[3] ?? ''}`
  const profile = PROFILE.exec(text)
  if (profile) return `${profile[1]}${agents.profile(profile[2] as string)}${profile[3]}`
  const policy = POLICY.exec(text)
  if (policy)
    return `${policy[1]}${(policy[2] as string)
      .split('/')
      .map((n) => names.name(n))
      .join('/')}${policy[3]}`
  return text.startsWith('name=') ? `name=${names.name(text.slice(5))}` : undefined
}
