/**
 * A scenario as plain data: namespaces, wires between them, what is loaded into each, and the packets to send. `run.py` builds it in a
 * kernel, ours or a virtual machine's, dumps it like a snapshot, sends the packets and says what became of them.
 * Everything that is loaded is a list of lines, so that a shrinker can take lines away.
 */

export interface Scenario {
  readonly name: string
  /** of all packets; servers listen in this family */
  readonly family: 4 | 6
  readonly spaces: Readonly<Record<string, Space>>
  /** veth pairs */
  readonly wires: readonly Wire[]
  /** ports that every space answers on (but `wire` ones) */
  readonly tcp: readonly number[]
  readonly udp: readonly number[]
  readonly probes: readonly Probe[]
  /** a hash chooses among some arms, so that only their set can be held against what was seen, not how often */
  readonly nominal?: boolean
}

export interface Space {
  /** `wire`: a switch. It has no dump and no servers */
  readonly kind: 'node' | 'pod' | 'external' | 'wire'
  /** of a pod: the node that runs it */
  readonly node?: string
  /** a node's InternalIPs, a pod's IPs, as the cluster's objects have them */
  readonly ips?: readonly string[]
  /** `ip -batch`, after the wires are there */
  readonly ip?: readonly string[]
  /** `ip -6 -batch`: rules have no address that would tell their family */
  readonly ip6?: readonly string[]
  /** `bridge -batch` */
  readonly bridge?: readonly string[]
  /** `KEY=VALUE`, written after `ip`; a key is written with dots, a dot of a device's name as `/` */
  readonly sysctl?: readonly string[]
  /** `ipset restore` */
  readonly ipset?: readonly string[]
  /** `iptables-legacy-restore` and so on, each in the scenario's family and the other one */
  readonly iptablesLegacy?: readonly string[]
  readonly iptablesNft?: readonly string[]
  readonly ip6tablesLegacy?: readonly string[]
  readonly ip6tablesNft?: readonly string[]
  /** `nft -f`, one command a line */
  readonly nft?: readonly string[]
  /** `ipvsadm -R` */
  readonly ipvsadm?: readonly string[]
  /** any other commands with their input, last: `{"argv": ["wg", "setconf", "wg0", "/dev/stdin"], "input": "…"}` */
  readonly commands?: readonly { readonly argv: readonly string[]; readonly input?: string }[]
}

/** A veth pair; `a` and `b` are `SPACE/DEVICE` */
export interface Wire {
  readonly a: string
  readonly b: string
}

export interface Probe {
  readonly from: string
  readonly proto: 'tcp' | 'udp' | 'icmp'
  readonly dst: string
  readonly port?: number
  /** an own address to bind to */
  readonly source?: string
  /** port to bind to */
  readonly sport?: number
  /** bytes of data, sent with DF */
  readonly payload?: number
  /** how often to try: once, unless the kernel chooses at random */
  readonly times: number
}

/** What a client saw: where its packet came out, as the server's socket sees it, or what it got instead. */
export type Seen =
  | { readonly kind: 'delivered'; readonly host?: string; readonly dst?: string; readonly port?: number; readonly src?: string }
  | { readonly kind: 'rst' }
  | { readonly kind: 'icmp'; readonly type: number; readonly code: number; readonly from: string }
  | { readonly kind: 'errno'; readonly name: string }
  | { readonly kind: 'dropped' }
  | { readonly kind: 'closed' }

/** One line of what `run.py` prints. */
export type Observation =
  | {
      readonly name: string
      /** space → file of the snapshot layout → text */
      readonly files: Readonly<Record<string, Readonly<Record<string, string>>>>
      /** in the order of the probes, each as often as it was sent */
      readonly seen: readonly (readonly Seen[])[]
    }
  /** it could not be built: the generator made something unlawful */
  | { readonly name: string; readonly error: string }
