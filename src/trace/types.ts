/**
 * The product: what `netctl trace` says. One `Trace` a flow; `outcomes` answer, `paths` prove, `comparison` explains.
 * These shapes are the JSON contract `netctl.dev/v1alpha1`, additive only.
 */

import type { Change } from '../snapshot/types.ts'
import type { Leg } from './legs.ts'

/**
 * What becomes of a packet: `refused` is a reset or ICMP that says so, `unreachable` every other error, `dropped` silence, `undecided` what
 * the dumps can't tell.
 */
export type Verdict = 'delivered' | 'refused' | 'unreachable' | 'dropped' | 'undecided'

/** Who put a table entry there. */
export type Owner = 'calico' | 'kube-proxy' | 'kernel' | 'netctl' | 'other'

/** An entry of a dump, as its tool printed it: `text` is exactly line `line` of `file` (a path inside the snapshot). */
export interface Evidence {
  readonly file: string
  readonly line: number
  readonly text: string
  /** packets and bytes that the entry had counted, where the dump has them */
  readonly counters?: { readonly packets: number; readonly bytes: number }
}

/** The flow as its client sees it. */
export interface Flow {
  readonly from: { readonly kind: 'pod' | 'node' | 'external'; readonly name?: string; readonly ip?: string; readonly ip6?: string }
  readonly proto: 'tcp' | 'udp' | 'sctp' | 'icmp'
  /** address that the client sends to */
  readonly dst: string
  readonly port?: number
  /** that it sends from; of a ping the identifier */
  readonly sourcePort?: number
  /** source address that the client binds to; without it routing chooses */
  readonly source?: string
  /** bytes of data behind the transport header, sent with DF; without it packets are taken to fit everywhere */
  readonly payload?: number
  /** the node by which an outside client's packets enter, if said */
  readonly entryNode?: string
  /** default `new` */
  readonly state?: ConnectionState
  /** what SRC and DST were called on the command line */
  readonly label?: { readonly from: string; readonly to: string }
}

/**
 * Which packet of a connection is traced: the first of a `new` one; the next of one that was made before, on every host `established`;
 * the next of an entry that the hosts' conntrack.txt hold for this client and destination (`from-dump`).
 */
export type ConnectionState = 'new' | 'established' | 'from-dump'

/** What the client observes, merged: one for each distinct (verdict, endpoint, address, port, seenSource, error). */
export interface Outcome {
  readonly verdict: Verdict
  readonly probability: number
  /** `pod/NAMESPACE/NAME`, `node/NAME`, `external/NAME`: whose socket got it (delivered), or would have */
  readonly endpoint?: string
  /** destination address and port, and the client's address, as the server's socket sees them */
  readonly address?: string
  readonly port?: number
  readonly seenSource?: string
  /** `rst`, `icmp TYPE/CODE from ADDRESS`, `errno NAME` */
  readonly error?: string
  /** node (or other host) where it was decided */
  readonly node?: string
  /** for `undecided`: what is missing */
  readonly reason?: string
  /** indexes into `Trace.paths` */
  readonly paths: readonly number[]
}

export type Stage =
  | 'send'
  | 'route'
  | 'raw'
  | 'mangle'
  | 'nat'
  | 'ipvs'
  | 'filter'
  | 'security'
  | 'conntrack'
  | 'device'
  | 'neighbour'
  | 'fdb'
  | 'encapsulate'
  | 'decapsulate'
  | 'sysctl'
  | 'listener'
  | 'error'
  | 'deliver'
  | 'underlay'
  | 'drop'

/** One step that can be pointed at in a dump: a rule, a route, a set member, a device crossing. */
export interface Hop {
  /** node name; for other hosts `pod/NS/NAME` or `external/NAME` */
  readonly node: string
  readonly stage: Stage
  /** for people: `nat PREROUTING → KUBE-SVC-…`, `route`, `eth0` */
  readonly where: string
  readonly owner: Owner
  /** the Kubernetes or Calico object behind it: `service/shop/web:http`, `networkpolicy/shop/allow-web`, `ippool/default` */
  readonly object?: string
  /** what happened, in a few words: `DNAT to 10.244.1.4:8080`, `accept`, `10.244.98.0/26 via 10.244.98.0 dev vxlan.calico` */
  readonly action: string
  /** did it decide or change anything (folded away by default if not)? */
  readonly weight: 'decides' | 'changes' | 'passes' | 'tried'
  readonly evidence?: Evidence
  /** more entries that belong to the same step: set members, neighbours */
  readonly also?: readonly Evidence[]
  /** headers after this step, if it changed them: `10.244.0.3:* → 10.244.1.4:8080` */
  readonly packet?: string
  /** the choice made here, if the kernel chose: probability of this arm and what was chosen among */
  readonly choice?: { readonly probability: number; readonly what: string }
  /** table and chain of a rule hop: `filter`, `KUBE-FORWARD`; of nft with the family, `ip kube-proxy`, `services` */
  readonly table?: string
  readonly chain?: string
  /** what the author of an nft rule wrote on it for people: its dump may be a single line */
  readonly remark?: string
}

/** Why a path was not delivered: the entry to look at first. */
export interface Cause {
  /** where the fault is; absent only where no single host is to blame */
  readonly node: string
  readonly kind: 'rule' | 'missing-rule' | 'route' | 'missing-route' | 'link' | 'sysctl' | 'policy' | 'listener' | 'mtu' | 'endpoint'
  /** the entry in words a person can act on: `net.ipv4.ip_forward = 0`, `-A FORWARD … -j DROP`, `no route to 10.244.217.0/26` */
  readonly entry: string
  readonly evidence?: Evidence
  /** the object that wanted it so, for policies and services */
  readonly object?: string
}

/** One way that a packet of the flow can go. */
export interface Path {
  readonly verdict: Verdict
  readonly probability: number
  readonly hops: readonly Hop[]
  /** the answer's way back: a reply, a reset or an ICMP error */
  readonly reply?: { readonly kind: 'reply' | 'rst' | 'icmp'; readonly hops: readonly Hop[] }
  readonly cause?: Cause
  /** where its packets meet hosts, if asked for: no part of the JSON */
  readonly legs?: readonly Leg[]
}

/** What Calico and kube-proxy are told apart by. */
export type Aspect =
  | 'primaryFunction'
  | 'serviceManagement'
  | 'podNetwork'
  | 'networkPolicies'
  | 'trafficForwarding'
  | 'loadBalancing'
  | 'overlayUnderlay'
  | 'podIpManagement'

/** What one of the two did for a flow under one aspect, or why it did nothing. */
export interface Part {
  readonly acted: boolean
  readonly what: string
  /** the means, without names or numbers (`statistic random`, `VXLAN`): what a summary over many flows counts by */
  readonly mechanism?: string
  readonly evidence: readonly Evidence[]
}

/** One aspect of a flow, and what each of the two did. */
export interface ComparisonRow {
  readonly aspect: Aspect
  readonly calico: Part
  readonly kubeProxy: Part
}

/** Something about the flow's client and destination that its outcomes don't say. */
export interface Warning {
  /** connections of this client that go on to an address where the Service has no endpoint any more */
  readonly kind: 'stale-connection'
  readonly node: string
  /** what is wrong, in a few words: `10.244.9.9:53 is not an endpoint of service kube-system/dns` */
  readonly entry: string
  readonly object?: string
  /** the first of them */
  readonly evidence: Evidence
  /** how many entries are alike */
  readonly count: number
  readonly explanation: string
}

/** Today's answer beside that of a world in which something is supposed to be otherwise. */
export interface WhatIf {
  readonly changes: readonly Change[]
  readonly today: { readonly outcomes: readonly Omit<Outcome, 'paths'>[]; readonly undecided?: readonly string[] }
}

/** All that is known of one flow. */
export interface Trace {
  readonly apiVersion: 'netctl.dev/v1alpha1'
  readonly kind: 'Trace'
  readonly id?: string | number
  readonly flow: Flow
  readonly outcomes: readonly Outcome[]
  readonly paths: readonly Path[]
  readonly comparison: readonly ComparisonRow[]
  readonly warnings?: readonly Warning[]
  readonly assumptions?: readonly string[]
  readonly undecided?: readonly string[]
  readonly whatIf?: WhatIf
}
