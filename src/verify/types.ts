import type { TraceHeaders } from '../kernel/nftables/trace-events.ts'

/**
 * What `trace --verify` asks of a node, and what was observed there. Three scripts a node, composed by netctl: one watches, one sends probes, one stops
 * the watch. Addresses are canonical text (`Ip.text`).
 */

/** Headers of one direction as one hook sees them; what is absent may be anything. */
export interface Tuple {
  /** a number: of any other IP protocol, without ports */
  readonly proto: 'tcp' | 'udp' | 'sctp' | 'icmp' | 'icmpv6' | number
  readonly src?: string
  readonly dst?: string
  readonly sport?: number
  readonly dport?: number
  /** the identifier of an ICMP echo */
  readonly id?: number
  /** the tuple is that of the packet inside a tunnel of these ends; the tunnel's packet is what is watched */
  readonly inside?: Tunnel
}

/** WireGuard is none of them: what is inside can't be seen from outside. */
export type Tunnel =
  | { readonly kind: 'vxlan'; readonly src: string; readonly dst: string; readonly port: number; readonly id?: number }
  | { readonly kind: 'ipip'; readonly src: string; readonly dst: string }

/** A network namespace of a node: its own, or that of a pod on it. */
export type Space = 'node' | { readonly namespace: string; readonly name: string }

/** What one node is to watch. */
export interface WatchOrder {
  /** names the table of this run on all nodes: `netctl_verify_<id>`; eight or more of [a-z0-9], by chance */
  readonly id: string
  /** each is armed by itself: the mark that has a packet traced is lost between namespaces */
  readonly spaces: readonly Space[]
  /** TCP: segments with SYN or RST only. ICMP errors to a tuple's source are watched as well */
  readonly tuples: readonly Tuple[]
  /** addresses to which ICMP errors are watched beside: those that the host masquerades with are no tuple's source on it */
  readonly errorsTo?: readonly string[]
  /** after which everything is taken away, whatever has happened */
  readonly seconds: number
}

/** One packet to send, and how long to wait for an answer. */
export interface Probe {
  /** [a-z0-9-]+, unique in a run */
  readonly id: string
  readonly space: Space
  readonly proto: 'tcp' | 'udp' | 'icmp'
  /** the address to bind to; without it routing chooses */
  readonly src?: string
  readonly dst: string
  /** the source port, or the identifier of an echo request */
  readonly sport: number
  /** absent for ICMP */
  readonly dport?: number
  /** what a datagram carries, in hexadecimal */
  readonly data?: string
  /** bytes of data of a datagram or echo request, sent with DF; longer than `data`: padded with zeros */
  readonly size?: number
  readonly patienceMs: number
}

/** What the sender of a probe was told. */
export type ProbeAnswer =
  /** connected, a datagram back, an echo reply */
  | { readonly kind: 'answered'; readonly bytes?: number }
  /** a TCP reset */
  | { readonly kind: 'refused' }
  | { readonly kind: 'icmp'; readonly type: number; readonly code: number; readonly from: string }
  /** what the system call said: `EHOSTUNREACH`, `EPERM` */
  | { readonly kind: 'errno'; readonly name: string }
  | { readonly kind: 'silent' }
  /** it could not be sent, and why */
  | { readonly kind: 'failed'; readonly reason: string }

/** A probe that was sent, and what came back. */
export interface ProbeResult {
  readonly id: string
  /** as bound */
  readonly src?: string
  readonly sport?: number
  readonly afterMs: number
  readonly answer: ProbeAnswer
}

/** What happened to a packet in one base chain or rule. Tables by family and name, `ip filter`; chains by name. */
export type SeenStep =
  /** where a base chain met it: its headers there, after whatever came before */
  | {
      readonly kind: 'headers'
      readonly table: string
      readonly chain: string
      readonly iif?: string
      readonly oif?: string
      readonly headers: TraceHeaders
    }
  /** a rule that ran to its end */
  | {
      readonly kind: 'rule'
      readonly table: string
      readonly chain: string
      readonly handle?: number
      /** which rule of its chain it is, from 0, as the node listed the chain afterwards */
      readonly index?: number
      /** as nft prints it, iptables' rules too */
      readonly text: string
      /** `accept`, `drop`, `continue`, `jump X`, `goto X`, `return`, `queue` */
      readonly verdict: string
    }
  | { readonly kind: 'policy'; readonly table: string; readonly chain: string; readonly verdict: string }

/** One packet's pass through one namespace. */
export interface SeenPacket {
  readonly space: Space
  readonly hook: 'prerouting' | 'output'
  readonly headers: TraceHeaders
  /** index into `WatchOrder.tuples`; absent for ICMP errors */
  readonly tuple?: number
  readonly iif?: string
  /** in order; without those of our own table */
  readonly steps: readonly SeenStep[]
  /**
   * how it was seen to go on, after all rules: headers at the end of postrouting, or of input; without headers where nft reads those of a tunnel's
   * packet as if they were of the other family, that inside
   */
  readonly end?: { readonly hook: 'postrouting' | 'input'; readonly headers?: TraceHeaders; readonly oif?: string }
}

/** An entry that conntrack made for one of the tuples: it tells so when the first packet has left. */
export interface SeenConnection {
  readonly space: Space
  readonly original: Tuple
  readonly reply: Tuple
}

/** What was observed on one node. */
export interface NodeSeen {
  /** in the order in which they were first seen */
  readonly packets: readonly SeenPacket[]
  readonly connections: readonly SeenConnection[]
  /** what could not be watched, and why: no conntrack, rules of iptables-legacy */
  readonly missing: readonly string[]
  /** families with rules of iptables-legacy, of which nothing is traced */
  readonly legacy: readonly (4 | 6)[]
  /** there was more than could be told */
  readonly lost: boolean
  /** what was put there is known to be gone */
  readonly disarmed: boolean
}
