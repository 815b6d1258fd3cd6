/** Names of devices. Those that every machine has stay; a pod's veth keeps its prefix, and gets other digits: they are a hash of the pod's name. */
import type { Secret } from './secret.ts'

/** What kernels, udev and agents call their devices, the same on every machine. */
const COMMON =
  /^(?:lo|any-interface-at-all|(?:eth|ens|eno|enp\d+s|wlan|wlp\d+s|bond|team|br|dummy|tun|tap|vxlan|geneve|gre|gretap|erspan|sit|ip6tnl|ip6gre|tunl|ip_vti|ip6_vti|ifb|docker|cni|virbr|flannel\.|wg|kube-bridge|cilium_vxlan|cilium_geneve|genev_sys_)\d*(?:[fnds]\d+)*(?:np\d+)?(?:\.\d{1,4})?|flannel-(?:v6\.\d+|wg(?:-v6)?)|kube-ipvs0|nodelocaldns|vxlan\.calico|vxlan-v6\.calico|wireguard\.cali|wg-v6\.cali|bpf(?:in|out)\.cali|cilium_(?:host|net|wg0)|all|default|\*|cali|veth|lxc)$/

/** What Calico and the cloud CNIs that it does policy for put before the digits. */
export const VETH_PREFIXES = ['cali', 'eni', 'azv', 'gke', 'veth', 'lxc'] as const

/** Replaces names of devices: one name gets the same other one every time. */
export class Interfaces {
  readonly #secret: Secret
  readonly #made = new Map<string, string>()
  readonly #wildcards: readonly string[]
  #count = 0

  /** `wildcards`: starts of names that rules match (`cali+`) */
  constructor(secret: Secret, wildcards: readonly string[]) {
    this.#secret = secret
    // the longest that fits counts
    this.#wildcards = wildcards.filter((w) => !COMMON.test(w)).sort((a, b) => b.length - a.length)
  }

  /** Is this the name of a device, of those that were asked for or that every machine has? */
  knows(text: string): boolean {
    const base = text.replace(/[*+]$/, '')
    return (
      this.#made.has(text) ||
      COMMON.test(base) ||
      VETH_PREFIXES.some((p) => base.startsWith(p) && /^[0-9a-f]{1,11}$/.test(base.slice(p.length)))
    )
  }

  name(text: string): string {
    let made = this.#made.get(text)
    if (made === undefined) this.#made.set(text, (made = this.#make(text)))
    return made
  }

  #make(text: string): string {
    // eth0:1, eth0@if5, and starts of names in rules
    const [, base = text, more = ''] = /^(.+?)([@:](?:if)?\d+|\+|\*)?$/.exec(text) ?? []
    if (COMMON.test(base)) return text
    for (const prefix of VETH_PREFIXES) {
      const rest = base.startsWith(prefix) ? base.slice(prefix.length) : ''
      if (/^[0-9a-f]{1,11}$/.test(rest)) return `${prefix}${mapDigits(this.#secret, rest)}${more}`
    }
    const wild = this.#wildcards.find((w) => base.startsWith(w) && w !== base)
    if (wild !== undefined) return `${this.name(wild)}${this.#secret.bytes('interface', base).toString('hex').slice(0, 6)}${more}`
    if (more !== '') return this.name(base) + more
    // no such name is the start of another
    return `if${++this.#count}-`
  }
}

/** Hex digits for hex digits: names that began alike do so afterwards, as Felix's dispatch by the first digits wants it. */
function mapDigits(secret: Secret, old: string): string {
  let out = ''
  for (let i = 0; i < old.length; i++) {
    const order = [...'0123456789abcdef']
    const bytes = secret.bytes('veth', old.slice(0, i))
    for (let n = 15; n > 0; n--) {
      const other = (bytes[n] as number) % (n + 1)
      ;[order[n], order[other]] = [order[other] as string, order[n] as string]
    }
    out += order[Number.parseInt(old[i] as string, 16)]
  }
  return out
}
