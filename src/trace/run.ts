import type { RecentEntry } from '../kernel/iptables/env.ts'
import type { NftElement } from '../kernel/nftables/expression-types.ts'
import type { NftSet } from '../kernel/nftables/types.ts'
import type { Route } from '../kernel/route/types.ts'
import type { Source } from '../kernel/source.ts'
import type { Endpoint, WireguardPeer } from '../kernel/wireguard/types.ts'
import type { IcmpError } from '../net/icmp-error.ts'
import type { Ip } from '../net/ip.ts'
import type { Packet } from '../net/packet.ts'
import type { Choices } from './choices.ts'
import { ConntrackTable } from './conntrack/conntrack.ts'
import { type Ct, noCt } from './conntrack/entry.ts'
import type { IpvsConn } from './ipvs/connections.ts'
import type { Legs } from './legs.ts'
import type { SocketOwner } from './socket-owner.ts'
import type { Arm, Blame, Step } from './step.ts'
import type { ConnectionState } from './types.ts'
import type { Place, World } from './world.ts'

/** One run through the snapshot: all the decisions taken one way. The only mutable state of the walk lives here. */
export interface Run {
  readonly world: World
  readonly choices: Choices
  /** keep rules that were tried and did not match, too */
  readonly verbose: boolean
  readonly conntrack: Map<string, ConntrackTable>
  readonly state: ConnectionState
  /** the packet's own tuple is known: an entry of a dump may be its own */
  readonly known: boolean
  /** the entry of a dump that this run is about, and what is said where its packet meets it */
  chosen: { readonly source: Source; readonly action: string; readonly choice?: Arm } | undefined
  /** an answer is under way: it meets the entries that the request met */
  answering: boolean
  /** hosts that the packet under way has come in by, those of its tunnels included */
  depth: number
  /** only the way is looked for: rules stop nothing */
  scouting: boolean
  readonly assumptions: Set<string>
  /** connections of IPVS by the host that made them */
  readonly ipvs: Map<string, IpvsConn[]>
  /** WireGuard peers that were heard in this walk: where from, and at which address of the host's own */
  readonly endpoints: Map<WireguardPeer, Endpoint & { readonly own: Ip }>
  /** who has asked for a neighbour in this walk, by who heard it, on which device */
  readonly askers: Set<string>
  /** neighbours that did not answer */
  readonly silent: Set<string>
  /** what hashes with a secret gave: the same for the same packet */
  readonly hashes: Map<string, number>
  /** elements that the walk put into sets of nft, or took out of them (null), by key */
  readonly sets: Map<NftSet, Map<string, NftElement | null>>
  /** entries of `-m recent` as the walk has left them, by host, list and address; null: taken out */
  readonly recent: Map<string, RecentEntry | null>
  /** an outside client without a dump: what is sent to its address gets there if it gets out */
  outsider: { readonly id: string; readonly address: Ip } | undefined
  /** steps of the packet that is under way */
  steps: Step[]
  /** where packets meet hosts, if that is asked for */
  readonly legs: Legs | undefined
}

/** A packet in the kernel of one host, with what the kernel hangs on it (`struct sk_buff`). */
export interface Skb {
  packet: Packet
  mark: number
  ct: Ct
  place: Place
  /** '' for a packet of a local process */
  inDevice: string
  outDevice: string
  /** next hop of the route it follows, if that is not the destination itself */
  gateway: Ip | undefined
  /** went through IPVS already (skb->ipvs_property) */
  ipvs: boolean
  /** queueing priority, where a rule has set it */
  priority?: number
  /** came over loopback: the entry and the route it left with are kept */
  looped: boolean
  /** a bridge's port has handed it to netfilter (struct nf_bridge_info): by which it came in and leaves; '?': not known which */
  bridged?: { readonly in: string; readonly out?: string }
  /** a bridge hands it up to its host */
  up?: { readonly prerouted: boolean }
  /** where the packet itself does not tell */
  socketOwner?: SocketOwner
}

/** How the way of one packet ends. */
export type End =
  /** handed to the host that owns the destination address */
  | { readonly kind: 'arrived'; readonly skb: Skb }
  /** left for something that no dump describes; it is taken to arrive at the owner of the address */
  | { readonly kind: 'beyond'; readonly owner: string; readonly packet: Packet; readonly via: Exit }
  /** gone without a word. `local`: on the sender's own way out, so that its system call may fail */
  | { readonly kind: 'dropped'; readonly skb: Skb; readonly blame: Blame }
  /** somebody complains: an ICMP error, or a reset in its place, about the packet as it stood there */
  | {
      readonly kind: 'complaint'
      readonly skb: Skb
      readonly error: IcmpError | 'rst'
      /** said by a tunnel device in its transmit function (icmp_ndo_send) */
      readonly fromDevice?: true
      readonly blame: Blame
    }
  /** the sender's own system call fails */
  | { readonly kind: 'errno'; readonly errno: string; readonly blame: Blame }

/**
 * What a hook says of a packet. `reroute`: its route has to be looked up again. `taken`: something registered there sent it on by a way of its
 * own (IPVS); `goOn` follows it.
 */
export type HookResult =
  | { readonly kind: 'pass'; readonly reroute?: boolean }
  | { readonly kind: 'drop'; readonly blame: Blame }
  | { readonly kind: 'reject'; readonly error: IcmpError | 'rst'; readonly blame: Blame }
  | { readonly kind: 'taken'; readonly goOn: (ways: Ways) => End }

export const passed: HookResult = { kind: 'pass' }

/** A route that leads somewhere. */
export type Way =
  | { readonly kind: 'local'; readonly route: Route | undefined }
  | { readonly kind: 'out'; readonly route: Route; readonly device: string; readonly gateway: Ip | undefined; readonly onlink: boolean }

/** What a packet of the host's own begins with. */
export interface SendOptions {
  readonly mark?: number
  /** the entry that it takes over from the packet that it answers */
  readonly ct?: Ct
  /** of a rule's reset, and of a tunnel's packet, which has the socket of the one inside (iptunnel_xmit) */
  readonly socketOwner?: SocketOwner
  /** sent by a process: its system call fails if the packet is longer than its route takes */
  readonly socket?: true
  /** its first TTL; else the host's default */
  readonly ttl?: number
  /** what its first route is looked up with, where that is not what the packet carries: a tunnel's own mark, and the device that it is bound to */
  readonly lookup?: { readonly mark: number; readonly device?: string }
  /** its source was chosen by its route, which was looked up without one and is kept */
  readonly unbound?: boolean
}

/** The ways that lead on from a device or hook, handed down so that the files need no circle. */
export interface Ways {
  sendLocal(run: Run, place: Place, packet: Packet, options?: SendOptions): End
  receive(run: Run, skb: Skb): End
  /** LOCAL_OUT and what is behind it, for a packet that has its route */
  output(run: Run, skb: Skb, decision: Way): End
}

/** How a packet left the dumped part of the world: an answer comes back by the same way. */
export interface Exit {
  readonly place: Place
  readonly device: string
  /** the tunnel packet around it, if it left in one */
  readonly outer?: Packet
}

/** Thrown when the snapshot lacks what is needed to go on. */
export class Undecided extends Error {
  readonly node: string
  constructor(node: string, reason: string) {
    super(reason)
    this.node = node
  }
}

/** What a run is about: which connection, and how much is to be recorded. */
export type Asked = Pick<Run, 'state' | 'known' | 'verbose' | 'legs'>

/** What a hash with a secret chooses: asked once in a run for each key. */
export function pickByHash({ hashes, choices }: Run, key: string, weights: readonly number[], what: string): number {
  const known = hashes.get(key)
  if (known !== undefined) return known
  const arm = choices.pick(weights, what)
  hashes.set(key, arm)
  return arm
}

/** A run that has not sent anything; `choices` say which way it goes. */
export function newRun(world: World, choices: Choices, asked: Asked): Run {
  const { state, known, verbose, legs } = asked
  return {
    world,
    choices,
    verbose,
    state,
    known,
    chosen: undefined,
    answering: false,
    depth: 0,
    scouting: false,
    conntrack: new Map(),
    assumptions: new Set(),
    ipvs: new Map(),
    endpoints: new Map(),
    askers: new Set(),
    silent: new Set(),
    hashes: new Map(),
    sets: new Map(),
    recent: new Map(),
    outsider: undefined,
    steps: [],
    legs,
  }
}

/** The host's connections in this run. */
export function conntrackOf(run: Run, place: Place): ConntrackTable {
  let table = run.conntrack.get(place.id)
  if (!table) run.conntrack.set(place.id, (table = new ConntrackTable(place.host.conntrack, run.known)))
  return table
}

/** The host's connections of IPVS in this run; what is pushed stays. */
export function ipvsConnectionsOf(run: Run, place: Place): IpvsConn[] {
  let list = run.ipvs.get(place.id)
  if (!list) run.ipvs.set(place.id, (list = []))
  return list
}

/** A packet that has just come in by `inDevice`, or with '' is about to be sent by the host. */
export const newSkb = (packet: Packet, place: Place, inDevice: string, mark = 0, ct: Ct = noCt): Skb => ({
  packet,
  mark,
  ct,
  place,
  inDevice,
  outDevice: '',
  gateway: undefined,
  ipvs: false,
  looped: false,
})

/** How the way ends of a packet that a hook does not let pass. */
export function stopped(skb: Skb, hook: Exclude<HookResult, { kind: 'pass' }>, ways: Ways): End {
  switch (hook.kind) {
    case 'drop':
      return { kind: 'dropped', skb, blame: hook.blame }
    case 'reject':
      return { kind: 'complaint', skb, error: hook.error, blame: hook.blame }
    case 'taken':
      return hook.goOn(ways)
  }
}
