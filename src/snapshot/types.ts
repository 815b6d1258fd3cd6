import type { Cluster } from '../cluster/types.ts'
import type { DeviceProgram } from '../kernel/bpf/types.ts'
import type { ConntrackDump } from '../kernel/conntrack/types.ts'
import type { IpsetDump } from '../kernel/ipset/types.ts'
import type { Backend } from '../kernel/iptables/backend.ts'
import type { IptablesDump } from '../kernel/iptables/types.ts'
import type { IpvsConnection, IpvsTable } from '../kernel/ipvs/types.ts'
import type { Link } from '../kernel/link/types.ts'
import type { FdbEntry, Neighbour } from '../kernel/neigh/types.ts'
import type { NftRuleset } from '../kernel/nftables/types.ts'
import type { KernelClock, RecentLists } from '../kernel/recent/types.ts'
import type { Route, RoutingRule } from '../kernel/route/types.ts'
import type { Listener } from '../kernel/socket/types.ts'
import type { WireguardDevice } from '../kernel/wireguard/types.ts'
import type { Family } from '../net/ip.ts'

/** One cluster at one moment, parsed as far as it was asked for. Nothing here knows where it came from: a folder, an archive, memory. */
export interface Snapshot {
  /** what the user called it */
  readonly name: string
  readonly header: SnapshotHeader
  readonly cluster: Cluster
  /** by id: `node/n1`, `pod/shop/web-1`, `external/ext` */
  readonly hosts: ReadonlyMap<string, Host>
  /** the BPF programs that are a node's dataplane, by its id */
  ebpf(id: string): EbpfDataplane | undefined
  /** nodes that are supposed to be off (what if), by id; they keep their dumps here */
  readonly down?: ReadonlySet<string>
  /** nodes that were asked for their tables and gave none, by id, with the reason: what they do is not known, not even that they are up */
  readonly unread?: ReadonlyMap<string, string>
  /** of a cluster that is asked as it is: when its hosts were read, by id, and which moment the question is about. What was to end in between has ended */
  readonly moments?: { readonly read: ReadonlyMap<string, Span>; readonly asked: Span }
  /** exact text of a line of a dump (1-based), for evidence */
  line(file: string, line: number): string
  /** whole text of a file of the snapshot, undefined if there is none */
  text(file: string): string | undefined
  /** paths of all files, sorted, as stored (with `.gz`). `line` and `text` take them so, or without the `.gz` */
  readonly files: readonly string[]
}

/** A moment, as far as it is known: milliseconds since the epoch. */
export interface Span {
  readonly from: number
  readonly to: number
}

export interface EbpfDataplane {
  readonly name: 'Calico eBPF' | 'Cilium'
  /** `device cilium_host` */
  readonly shownBy: string
  /** who can be asked what it does with a packet */
  readonly ask: string
}

export interface SnapshotHeader {
  readonly schemaVersion: number
  readonly takenAt?: string
  readonly source?: string
  readonly missing: readonly string[]
  readonly assume: Assume
}

/** What `snapshot.json` says about things that the dumps don't show (docs/snapshot.md, Assumptions). */
export interface Assume {
  /** key `pod/*`, `node/n1`, `external/ext`; value `containerPorts` or `proto/port` list */
  readonly listeners: Readonly<Record<string, 'containerPorts' | readonly string[]>>
  /** hosts without sysctls that forward */
  readonly forwarding: readonly string[]
  /** prefix → host id: where the underlay routes an address */
  readonly routes: Readonly<Record<string, string>>
  readonly unknownDestination?: 'unreachable' | 'dropped' | 'undecided'
}

/**
 * One network namespace: of a node, a pod, or a host of the underlay. Missing dumps are undefined, never empty. What comes of a dump is lazy: it is read
 * when it is first asked for, and then a damaged one throws ParseError.
 */
export interface Host {
  readonly id: string
  readonly kind: 'node' | 'pod' | 'external'
  /** `n1`, `shop/web-1`, `ext` */
  readonly name: string
  /** folder inside the snapshot: `nodes/n1` */
  readonly dir: string
  readonly links: readonly Link[] | undefined
  /** all tables; `local` made from the addresses if the dump has none of it */
  readonly routes: Readonly<Record<Family, readonly Route[] | undefined>>
  /** default rules if the file is missing: then `rulesAssumed` */
  readonly rules: Readonly<Record<Family, readonly RoutingRule[]>>
  readonly rulesAssumed: Readonly<Record<Family, boolean>>
  readonly neighbours: readonly Neighbour[] | undefined
  readonly fdb: readonly FdbEntry[] | undefined
  readonly wireguard: readonly WireguardDevice[] | undefined
  readonly sysctls: Sysctls | undefined
  /**
   * dumps to evaluate, per family, in the order that the kernel calls them on one hook (nft variant before legacy at equal priority is not known:
   * usually there is one). undefined: not dumped. Empty: the dump says that there are no rules.
   */
  readonly iptables: Readonly<Record<Family, readonly IptablesDump[] | undefined>>
  readonly ipsets: IpsetDump | undefined
  readonly conntrack: ConntrackDump | undefined
  readonly listeners: readonly Listener[] | undefined
  /** ruleset of nft, with the tables of iptables-nft (`isXtables`): those are evaluated from iptables-save, which has all of their rules */
  readonly nft: NftRuleset | undefined
  readonly ipvs: Ipvs | undefined
  /** lists of `-m recent` */
  readonly recent: RecentLists | undefined
  /** when that was, by the clock that they are by */
  readonly clock: KernelClock | undefined
  /** BPF programs on devices; undefined if they were not dumped: then only those of XDP are known, from `links` */
  readonly programs: readonly DeviceProgram[] | undefined
  readonly versions: Versions | undefined
}

/** IPVS in one network namespace. */
export interface Ipvs {
  readonly table: IpvsTable
  /** connections and persistence templates; undefined: not dumped */
  readonly connections: readonly IpvsConnection[] | undefined
  /** where `net.ipv4.vs.*` stands */
  readonly sysctls: Sysctls | undefined
}

export interface Sysctls {
  readonly file: string
  /** dotted key as sysctl prints it (dots of device names as `/`) → value and line */
  get(key: string): { readonly value: string; readonly line: number } | undefined
  readonly size: number
}

export interface Versions {
  readonly file: string
  readonly text: string
  readonly iptablesBackend?: Backend
  readonly kernel?: string
  readonly kubeProxy?: { readonly version: string; readonly mode: string; readonly args: string; readonly line: number }
  readonly calico?: { readonly version: string; readonly line: number }
}

/** What if: one thing that is supposed to be otherwise than the dumps say. */
export interface Change {
  readonly kind: 'sysctl' | 'node-down' | 'without-rule' | 'replace'
  /** where: a node, another host; absent for files of the whole cluster */
  readonly node?: string
  /** what is so now: `net.ipv4.ip_forward = 0`, `n2 is down`, `without -A FORWARD -j ACCEPT` */
  readonly what: string
  /** what it is in the dumps, if that is not plain: `1` */
  readonly was?: string
  /** entry of the dump that it takes the place of */
  readonly evidence?: { readonly file: string; readonly line: number; readonly text: string }
}

/** A snapshot in which things are otherwise. */
export interface Changed {
  readonly snapshot: Snapshot
  readonly changes: readonly Change[]
}

/** What a snapshot holds, for `netctl snapshot show`. Plain data. */
export interface SnapshotDescription {
  readonly apiVersion: 'netctl.dev/v1alpha1'
  readonly kind: 'SnapshotDescription'
  readonly name: string
  readonly schemaVersion: number
  readonly takenAt?: string
  readonly source?: string
  readonly nodes: readonly NodeDescription[]
  readonly external: readonly { readonly name: string; readonly addresses: readonly string[] }[]
  readonly modes: Modes
  readonly counts: Readonly<Record<string, number>>
  readonly assume: Assume
  /** what will be missed, in words */
  readonly missing: readonly string[]
}

export interface NodeDescription {
  readonly name: string
  readonly addresses: readonly string[]
  readonly podCidrs: readonly string[]
  /** is there a folder of dumps? */
  readonly dumped: boolean
  readonly kubelet?: string
  readonly kernel?: string
  readonly kubeProxy?: string
  readonly calico?: string
  readonly iptablesBackend?: string
  readonly counts: {
    readonly pods: number
    /** of iptables and nft */
    readonly rules: number
    /** of ipset, and named sets and maps of nft */
    readonly sets: number
    readonly virtualServers: number
    readonly routes: number
    readonly connections: number
  }
  /** dumps that a node should have */
  readonly missing: readonly string[]
}

/** How the cluster is run, read off the dumps; each with what showed it. */
export interface Modes {
  readonly cni: Finding
  /** what judges pods' packets on the nodes: `iptables`, `nftables`, `Calico eBPF`, `Cilium`, or several */
  readonly dataplane: Finding
  readonly pools: readonly PoolDescription[]
  readonly routing: Finding
  readonly kubeProxy: Finding
  readonly iptablesBackend: Finding
  readonly ipFamilies: readonly Family[]
  readonly wireguard: boolean
  /** settings of the FelixConfiguration `default` */
  readonly felix: Readonly<Record<string, unknown>>
}

export interface Finding {
  /** `unknown` if nothing shows it */
  readonly value: string
  /** what showed it: `devices cali*`, `versions.txt` */
  readonly shownBy: string
}

export interface PoolDescription {
  readonly name: string
  readonly cidr: string
  /** what the pool asks for: `VXLAN Always`, `IPIP CrossSubnet`, `none` */
  readonly configured: string
  /** what routes to other nodes' blocks do: `VXLAN`, `IPIP`, `WireGuard`, `none`, `VXLAN and none` (cross-subnet); undefined without such routes */
  readonly observed?: string
  readonly natOutgoing: boolean
}

/** What came of reading one node (`netctl collect`). */
export interface ReadNode {
  readonly label: string
  /** its name in the snapshot; undefined if nothing came */
  readonly node: string | undefined
  readonly files: number
  readonly pods: number
  readonly bytes: number
  /** what could not be had of it, and why */
  readonly missing: readonly string[]
}
