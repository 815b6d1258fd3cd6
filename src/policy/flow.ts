import type { Ip } from '../net/ip.ts'
import type { Endpoint } from './world.ts'

/** What is asked: may the first packet of this connection pass? */
export interface PolicyFlow {
  readonly source: End
  readonly destination: End
  /** IP protocol number; 1 (ICMP) between IPv6 ends is taken as 58 */
  readonly protocol: number
  /** destination port, as the destination pod has it: after a Service's translation */
  readonly port?: number
  /** 40000 if not said: an ephemeral one */
  readonly sourcePort?: number
  /** an echo request if not said */
  readonly icmpType?: number
  readonly icmpCode?: number
  /** asks one hook of a host endpoint, and nothing else: the other end is not judged */
  readonly class?: FlowClass
  /** what if the staged policies went live: Set replaces or adds, Delete takes away */
  readonly staged?: boolean
}

/** `normal`: to and from processes of the host; `forward`: through it; `untracked` and `preDNAT`: before all else, on arrival or departure. */
export type FlowClass = 'normal' | 'untracked' | 'preDNAT' | 'forward'

/**
 * Who is at an end. A bare address is an address only: rules match it (also that of a pod), but no policy of an endpoint is asked.
 * Two ends that are named speak the family of the source's first address that the destination has too.
 */
export interface End {
  /** as the user may write it: `ns/pod`, `ns/name[Kind]`, `hep:NAME`, `node/NAME`, an address */
  readonly id: string
  readonly endpoint?: Endpoint
  /** empty: not known */
  readonly addresses: readonly Ip[]
  /** where it runs, if known: a process of the host reaches the pods of its node whatever policies say */
  readonly node?: string
  /** a process of the host: a node, a hostNetwork pod */
  readonly host?: true
  /** that process is one of a hostNetwork pod */
  readonly hostPod?: true
  /** why nobody is there: a finished pod sends and receives nothing; judged as an address of nobody */
  readonly gone?: string
  /** what should be said about it: a Deployment answered by one of its pods, an address that is a pod's */
  readonly note?: string
}
