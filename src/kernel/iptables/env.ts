import type { Ip } from '../../net/ip.ts'
import type { Packet } from '../../net/packet.ts'
import type { Elapsed } from '../elapsed.ts'
import type { Ipset } from '../ipset/types.ts'

export type Hook = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING'

/** A connection as conntrack names it: one direction's five-tuple. */
export interface Tuple {
  readonly src: Ip
  readonly dst: Ip
  readonly sport?: { readonly lo: number; readonly hi: number }
  readonly dport?: { readonly lo: number; readonly hi: number }
}

/** What matches may ask about the packet's conntrack entry. */
export interface CtView {
  readonly state: 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID' | 'UNTRACKED'
  readonly direction: 'ORIGINAL' | 'REPLY'
  readonly original?: Tuple
  readonly reply?: Tuple
  readonly snat: boolean
  readonly dnat: boolean
  readonly seenReply: boolean
  readonly assured: boolean
  readonly confirmed: boolean
  readonly mark: number
}

/** What `-m ipvs` may ask about a packet that went through IPVS. */
export interface IpvsView {
  /** the connection whose request it is, as sent on to the real server */
  readonly connection: { readonly virtual: Ip; readonly port: number | undefined; readonly method: 'GATE' | 'IPIP' | 'MASQ' } | undefined
}

/** An address in a list of `-m recent`. */
export interface RecentEntry {
  /** jiffies at which it was seen, as dumped; undefined: the list was not, so that it may have been seen before */
  readonly stamps: readonly number[] | undefined
  /** how often it was seen since, by the packets that are traced */
  readonly now: number
}

/** RTN_* names as `-m addrtype` spells them. */
export type AddressType =
  | 'UNSPEC'
  | 'UNICAST'
  | 'LOCAL'
  | 'BROADCAST'
  | 'ANYCAST'
  | 'MULTICAST'
  | 'BLACKHOLE'
  | 'UNREACHABLE'
  | 'PROHIBIT'
  | 'THROW'
  | 'NAT'
  | 'XRESOLVE'

/** The packet and everything around it that a match can look at. Implemented by the walk; by a plain object in tests. */
export interface MatchEnv {
  readonly packet: Packet
  readonly mark: number
  readonly hook: Hook
  /** '' where the hook has none */
  readonly inDevice: string
  readonly outDevice: string
  /** of a packet that a bridge has handed to netfilter (struct nf_bridge_info): the ports that it came in by and is about to leave by; '?': not known which */
  readonly bridged?: { readonly in: string; readonly out?: string }
  readonly ct: CtView
  /** is the packet sent by a process of this host (it has a socket), and is that process known? */
  readonly localSender: boolean
  /** sent by the kernel itself, by a socket that it has for that (icmp_xmit_lock, ipv4_tcp_sk) */
  readonly controlSocket?: boolean
  /** type of an address in the host's own routing tables; with `device` only if it is so on that device */
  addressType(address: Ip, device?: string): AddressType
  ipset(name: string): Ipset | undefined
  /** `-m rpfilter`: would the reverse path be accepted? */
  reversePath(options: { readonly loose: boolean; readonly validMark: boolean; readonly acceptLocal: boolean }): boolean
  /** an address in a list of `-m recent`; undefined: it is not there */
  recent(list: string, address: Ip): RecentEntry | undefined
  /** what the packet does to it; undefined takes it out */
  keepRecent(list: string, address: Ip, entry: RecentEntry | undefined): void
  /** the clock of the lists, at the time of their dump; or why it is not known */
  readonly clock: { readonly jiffies: number; readonly hz: number } | { readonly unknown: string }
  /** how long ago that was */
  readonly elapsed: Elapsed
  /** what IPVS knows of the packet; undefined: IPVS has not sent it on, nor put an address back in it */
  readonly ipvs: IpvsView | undefined
  /** is there a socket for the packet (for `-m socket`)? undefined: not known */
  hasSocket(): boolean | undefined
  /** A random choice of the kernel: true with probability p. The explorer follows both arms. */
  chance(p: number, what: string): boolean
  /** Something that is not modelled or not in the dump: both outcomes are followed, and the branch is `undecided` unless they agree. */
  unknown(reason: string): boolean
  /** Something taken for granted; the answer lists it. */
  assume(what: string): void
}
