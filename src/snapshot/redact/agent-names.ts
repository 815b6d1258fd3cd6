/**
 * Names that agents give to their chains and sets: those of objects' names, or of hashes of them, which are made anew from the pseudonyms, so that
 * whoever looks for an object's chain finds it. A hash of something that the snapshot does not tell is replaced by as many random digits.
 */
import { felixName, policySuffixes } from '../../cluster/felix-names.ts'
import { chainHash, servicePortName } from '../../cluster/kube-proxy-names.ts'
import type { Cluster } from '../../cluster/types.ts'
import { parseIp } from '../../net/ip.ts'
import type { AddressMap } from './addresses.ts'
import type { Interfaces } from './interfaces.ts'
import type { Names } from './names.ts'
import { digits, type Secret } from './secret.ts'

/** Chains of fixed names: Felix's, kube-proxy's and kubelet's in iptables, kube-proxy's in nft; and sets. */
const FIXED: ReadonlySet<string> = new Set(
  `PREROUTING INPUT FORWARD OUTPUT POSTROUTING BROUTING
  cali-PREROUTING cali-INPUT cali-FORWARD cali-OUTPUT cali-POSTROUTING cali-cidr-block cali-failsafe-in cali-failsafe-out cali-fip-dnat cali-fip-snat
  cali-forward-check cali-forward-endpoint-mark cali-from-endpoint-mark cali-set-endpoint-mark cali-from-hep-forward cali-to-hep-forward
  cali-from-host-endpoint cali-to-host-endpoint cali-from-wl-dispatch cali-to-wl-dispatch cali-nat-outgoing cali-rpf-skip cali-wl-to-host
  cali-egress-dscp cali-arp-dispatch cali-log-dropped cali-dispatch
  KUBE-SERVICES KUBE-EXTERNAL-SERVICES KUBE-NODEPORTS KUBE-FORWARD KUBE-POSTROUTING KUBE-MARK-MASQ KUBE-MARK-DROP KUBE-PROXY-FIREWALL KUBE-PROXY-CANARY
  KUBE-FIREWALL KUBE-NODE-PORT KUBE-LOAD-BALANCER KUBE-SOURCE-RANGES-FIREWALL KUBE-IPVS-FILTER KUBE-IPVS-OUT-FILTER KUBE-KUBELET-CANARY
  KUBE-IPTABLES-HINT KUBE-ROUTER-INPUT KUBE-ROUTER-FORWARD KUBE-ROUTER-OUTPUT
  KUBE-CLUSTER-IP KUBE-LOOP-BACK KUBE-EXTERNAL-IP KUBE-EXTERNAL-IP-LOCAL KUBE-LOAD-BALANCER-LOCAL KUBE-LOAD-BALANCER-FW KUBE-LOAD-BALANCER-SOURCE-CIDR
  KUBE-LOAD-BALANCER-SOURCE-IP KUBE-NODE-PORT-TCP KUBE-NODE-PORT-LOCAL-TCP KUBE-NODE-PORT-UDP KUBE-NODE-PORT-LOCAL-UDP KUBE-NODE-PORT-SCTP-HASH
  KUBE-NODE-PORT-LOCAL-SCTP-HASH KUBE-HEALTH-CHECK-NODE-PORT KUBE-IPVS-IPS KUBE-6-CLUSTER-IP KUBE-6-LOOP-BACK KUBE-6-EXTERNAL-IP
  KUBE-6-EXTERNAL-IP-LOCAL KUBE-6-LOAD-BALANCER KUBE-6-LOAD-BALANCER-LOCAL KUBE-6-LOAD-BALANCER-FW KUBE-6-LOAD-BALANCER-SOURCE-CID
  KUBE-6-LOAD-BALANCER-SOURCE-IP KUBE-6-NODE-PORT-TCP KUBE-6-NODE-PORT-LOCAL-TCP KUBE-6-NODE-PORT-UDP KUBE-6-NODE-PORT-LOCAL-UDP
  KUBE-6-NODE-PORT-SCTP-HASH KUBE-6-NODE-PORT-LOCAL-SCTP-HAS KUBE-6-HEALTH-CHECK-NODE-PORT KUBE-6-IPVS-IPS
  DOCKER DOCKER-USER DOCKER-FORWARD DOCKER-CT DOCKER-BRIDGE DOCKER-INTERNAL DOCKER-ISOLATION-STAGE-1 DOCKER-ISOLATION-STAGE-2 FLANNEL-FWD FLANNEL-POSTRTG
  filter nat mangle raw security kube-proxy calico calico-arp firewalld docker-bridges
  cluster-ips cluster-ips-check external-ips filter-forward filter-input filter-output filter-output-pre-dnat filter-prerouting-pre-dnat firewall-check firewall-ips
  hairpin-connections mark-for-masquerade masquerading nat-output nat-postrouting nat-prerouting no-endpoint-nodeports no-endpoint-services
  nodeport-endpoints-check nodeport-ips reject-chain service-endpoints-check service-ips service-nodeports services
  prerouting input forward output postrouting ingress egress`.split(/\s+/),
)

/** What Felix calls the sets that are no selector's. */
const FELIX_SETS =
  /^cali[46][0t](?:all-hosts-net|all-ipam-pools|masq-ipam-pools|all-vxlan-net|all-tunnel-net|this-host|network-ip-pools|dscp-src-net|no-dscp-net|trust-dscp-net|cluster-ips)$/
const FELIX_SELECTOR_SET = /^(cali[46][0t][a-z]{1,3}[:-])([A-Za-z0-9_-]{6,})$/
const FELIX_DISPATCH = /^(cali-(?:from|to)-wl-dispatch-)([0-9a-f]{1,11})$/
const FELIX_DEVICE = /^(cali-(?:tw|fw|sm|thfw|fhfw|th|fh|arp)-)(.+)$/
const FELIX_POLICY = /^(cali-p[io]-)(.+)$/
const FELIX_PROFILE = /^(cali-pr[io]-)(.+)$/
const FELIX_GROUP = /^(cali-g[io]-)([A-Za-z0-9_-]{6,})$/
const SERVICE_CHAIN = /^(KUBE-(?:SVC|SVL|SEP|EXT|FW|XLB)-)([A-Z2-7]{16})$/
const NFT_SERVICE = /^(service|local|external|firewall|endpoint|affinity)-([A-Z2-7]{8})-(.+)$/

/** Replaces names of chains and sets. All objects must be known (`learn`) before the first name is asked for. */
export class AgentNames {
  readonly #names: Names
  readonly #interfaces: Interfaces
  readonly #addresses: AddressMap
  readonly #secret: Secret
  /** hash of a Service port or endpoint → that of its pseudonym */
  readonly #services = new Map<string, string>()
  /** what follows `cali-pi-` → what follows it then */
  readonly #policies = new Map<string, string>()
  readonly #profiles = new Map<string, string>()

  constructor(names: Names, interfaces: Interfaces, addresses: AddressMap, secret: Secret) {
    this.#names = names
    this.#interfaces = interfaces
    this.#addresses = addresses
    this.#secret = secret
  }

  /** Computes the names that the objects give rise to. */
  learn(cluster: Cluster): void {
    for (const s of cluster.services) {
      for (const p of s.ports) this.#service(servicePortName(s.namespace, s.name, p.name), p.protocol, '', '')
    }
    for (const slice of cluster.endpointSlices) {
      for (const p of slice.ports) {
        const name = servicePortName(slice.namespace, slice.service, p.name)
        for (const { ip } of slice.endpoints) this.endpoint(name, p.protocol, ip.text, p.port)
      }
    }
    for (const p of cluster.policies) {
      const old = policySuffixes(p)
      const namespace = p.namespace === undefined ? undefined : this.#names.name(p.namespace)
      const tier = p.tier === undefined ? undefined : this.#names.name(p.tier)
      const to = policySuffixes({
        source: p.source,
        kind: p.kind,
        name: this.#names.policy(p.name, p.tier),
        ...(namespace && { namespace }),
        ...(tier && { tier }),
      })
      if (old.length !== to.length) continue
      for (const [i, suffix] of old.entries()) put(this.#policies, 'cali-pi-', suffix, to[i] as string)
    }
    const any = 'projectcalico-default-allow'
    put(this.#profiles, 'cali-pri-', any, any)
    for (const namespace of cluster.namespaces) {
      for (const profile of [`kns.${namespace}`, `ksa.${namespace}.default`])
        put(this.#profiles, 'cali-pri-', profile, this.profile(profile))
    }
  }

  /** An endpoint of a Service port (`shop/web:http`) that may have a chain of its own. */
  endpoint(servicePort: string, protocol: string, address: string, port: number): void {
    const host = (text: string): string => (text.includes(':') ? `[${text}]` : text)
    const ip = parseIp(address)
    if (ip) this.#service(servicePort, protocol, `${host(address)}:${port}`, `${host(this.#addresses(ip).text)}:${port}`)
  }

  #service(name: string, protocol: string, old: string, to: string): void {
    this.#services.set(chainHash(name + protocol + old), chainHash(this.servicePort(name) + protocol + to))
  }

  /** `shop/web:http` */
  servicePort(text: string): string {
    const [, namespace, name, port] = /^([^/]*)\/([^:]*)(?::(.*))?$/.exec(text) ?? []
    if (namespace === undefined || name === undefined) return this.#names.name(text)
    return servicePortName(this.#names.name(namespace), this.#names.name(name), port === undefined ? undefined : this.#names.name(port))
  }

  /** `kns.shop`, `ksa.shop.default` */
  profile(text: string): string {
    const [, kind, namespace, account] = /^(kns|ksa)\.([^.]+)(?:\.(.+))?$/.exec(text) ?? []
    if (kind === undefined || namespace === undefined) return this.#names.name(text)
    return [kind, this.#names.name(namespace), ...(account === undefined ? [] : [this.#names.name(account)])].join('.')
  }

  /** A chain, a set or a map, of iptables, ipset or nft; a target of iptables is none. */
  name(text: string): string {
    if (FIXED.has(text) || FELIX_SETS.test(text)) return text
    return this.#ofFelix(text) ?? this.#ofKubeProxy(text) ?? this.#names.name(text)
  }

  #ofFelix(text: string): string | undefined {
    const layer = /^(raw|mangle|nat|filter)-(.+)$/.exec(text)
    if (layer && (layer[2] as string).match(/^(?:cali-|[A-Z]+$)/)) return `${layer[1]}-${this.name(layer[2] as string)}`
    const [, set, selector] = FELIX_SELECTOR_SET.exec(text) ?? []
    if (set !== undefined && selector !== undefined) return set + digits(this.#secret, 'base64url', text, selector.length)
    const [, dispatch, start] = FELIX_DISPATCH.exec(text) ?? []
    if (dispatch !== undefined && start !== undefined) return dispatch + this.#interfaces.name(`cali${start}`).slice(4)
    const [, device, name] = FELIX_DEVICE.exec(text) ?? []
    if (device !== undefined && name !== undefined) return this.#deviceChain(device, name)
    const [, policy, suffix] = FELIX_POLICY.exec(text) ?? []
    if (policy !== undefined && suffix !== undefined) return policy + (this.#policies.get(suffix) ?? this.#spoken(suffix))
    const [, profile, rest] = FELIX_PROFILE.exec(text) ?? []
    if (profile !== undefined && rest !== undefined) return this.#profileChain(profile, rest)
    const [, group, hash] = FELIX_GROUP.exec(text) ?? []
    if (group !== undefined && hash !== undefined) return group + digits(this.#secret, 'base64url', hash, hash.length)
    return undefined
  }

  #deviceChain(prefix: string, name: string): string {
    if (!name.startsWith('_')) return felixName(prefix, this.#interfaces.name(name))
    // the one long name that all clusters share
    const any = felixName(prefix, 'any-interface-at-all')
    return any === prefix + name ? any : `${prefix}_${digits(this.#secret, 'base64url', name, name.length - 1)}`
  }

  /** `knp/shop/api` of a policy that the snapshot has not: what is not hashed tells its parts. */
  #spoken(suffix: string): string {
    if (suffix.startsWith('_')) return `_${digits(this.#secret, 'base64url', suffix, suffix.length - 1)}`
    const [kind, ...names] = suffix.split('/')
    return felixName('cali-pi-', [/^[a-z]{2,5}$/.test(kind ?? '') ? kind : 'x', ...names.map((n) => this.#names.name(n))].join('/')).slice(
      8,
    )
  }

  #profileChain(prefix: string, rest: string): string {
    const known = this.#profiles.get(rest)
    if (known !== undefined) return prefix + known
    if (rest.startsWith('_')) return `${prefix}_${digits(this.#secret, 'base64url', rest, rest.length - 1)}`
    return felixName(prefix, this.profile(rest))
  }

  #ofKubeProxy(text: string): string | undefined {
    const [, role, hash] = SERVICE_CHAIN.exec(text) ?? []
    if (role !== undefined && hash !== undefined) return role + (this.#services.get(hash) ?? digits(this.#secret, 'base32', hash, 16))
    const [, use, , rest] = NFT_SERVICE.exec(text) ?? []
    if (use === undefined || rest === undefined) return undefined
    const base = this.#nftService(rest)
    return `${use}-${chainHash(base).slice(0, 8)}-${base}`
  }

  /** `shop/web/tcp/http__10.244.1.4/8080`; colons of IPv6 are dots */
  #nftService(text: string): string {
    const [, namespace, name, protocol, port, address, number] =
      /^([^/]+)\/([^/]+)\/(tcp|udp|sctp)\/([^/]*?)(?:__([0-9a-f.]+)\/(\d+))?$/.exec(text) ?? []
    if (namespace === undefined || name === undefined) return this.#names.name(text)
    const service = [this.#names.name(namespace), this.#names.name(name), protocol, this.#names.name(port ?? '')].join('/')
    const ip = address === undefined ? undefined : (parseIp(address) ?? parseIp(address.replaceAll('.', ':')))
    return ip ? `${service}__${this.#addresses(ip).text.replaceAll(':', '.')}/${number}` : service
  }
}

/** For both forms of a name: as it is in nft, and cut as in iptables. */
function put(map: Map<string, string>, prefix: string, old: string, to: string): void {
  const cut = felixName(prefix, old).slice(prefix.length)
  if (!map.has(cut)) map.set(cut, felixName(prefix, to).slice(prefix.length))
  if (cut !== old && !map.has(old)) map.set(old, to)
}
