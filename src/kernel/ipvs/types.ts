import type { Family, Ip, Prefix } from '../../net/ip.ts'
import type { Source } from '../source.ts'

export type IpvsProtocol = 'tcp' | 'udp' | 'sctp'

/** What makes a packet one of a virtual server: its destination, or its mark (ip_vs_service_find). */
export type ServiceKey =
  | { readonly kind: 'address'; readonly proto: IpvsProtocol; readonly ip: Ip; readonly port: number }
  | { readonly kind: 'mark'; readonly mark: number; readonly family: Family }

export interface VirtualServer {
  readonly key: ServiceKey
  /** `rr`, `sh`, …: any name is kept */
  readonly scheduler: string
  readonly persistence: Persistence | undefined
  /** persistence engine: `sip` */
  readonly engine: string | undefined
  /** every UDP packet is scheduled by itself */
  readonly onePacket: boolean
  /** words of `-b`: `sh-port`, `mh-fallback`, `flag-1`, … */
  readonly flags: readonly string[]
  readonly servers: readonly RealServer[]
  /** are the servers in the order of the kernel's list? ipvsadm-save sorts them. */
  readonly ordered: boolean
  readonly line: number
}

export interface Persistence {
  /** seconds */
  readonly timeout: number
  /** clients whose addresses are equal under this mask stick together; its address is without meaning */
  readonly mask: Prefix
  /** the mask as printed, where it is not the whole address */
  readonly maskText?: string
}

/** How packets get to a real server: `-m`, `-i`, `-g`. */
export type ForwardMethod = 'masquerade' | 'tunnel' | 'route'

export interface RealServer {
  readonly ip: Ip
  /** 0: the port that the packet has */
  readonly port: number
  readonly method: ForwardMethod
  /** 0: draining, no new connections */
  readonly weight: number
  readonly tunnel?: Tunnel
  /** connections from which on it counts as overloaded, and below which no longer; 0: no limit */
  readonly upper: number
  readonly lower: number
  /** connections when the dump was made, where it tells */
  readonly connections?: { readonly active: number; readonly inactive: number }
  readonly line: number
}

/** `--tun-type` and what belongs to it. Without: plain IPIP, as ipvsadm before 1.30 prints it. */
export interface Tunnel {
  readonly type: 'ipip' | 'gue' | 'gre'
  readonly port?: number
  readonly checksum?: 'nocsum' | 'csum' | 'remcsum'
}

/** All virtual servers of one network namespace. */
export interface IpvsTable {
  readonly file: string
  readonly services: readonly VirtualServer[]
}

/** One line of `ipvsadm -Lnc`. */
export interface IpvsConnection {
  readonly source: Source
  /** of a template of a firewall-mark service `ip` */
  readonly proto: IpvsProtocol | 'ip'
  /** seconds until it expires */
  readonly expires: number
  /** `ESTABLISHED`, `TIME_WAIT`, …; of templates `ASSURED` or `NONE` */
  readonly state: string
  readonly client: Endpoint
  readonly virtual: Endpoint
  readonly destination: Endpoint
}

/** Address and port; a client port of 0 marks a persistence template. */
export interface Endpoint {
  readonly ip: Ip
  readonly port: number
}

/** A virtual server as a listing with columns shows it (`ipvsadm -Ln`, /proc/net/ip_vs). */
export interface ListedService {
  readonly key: ServiceKey
  /** words after the address: scheduler and flags, or numbers */
  readonly words: readonly string[]
  readonly servers: readonly ListedServer[]
  readonly line: number
}

export interface ListedServer extends Endpoint {
  readonly method?: ForwardMethod
  /** columns of numbers by their titles: `Weight`, `ActiveConn`, `Conns`, … */
  readonly columns: ReadonlyMap<string, number>
  readonly line: number
}

export interface IpvsListing {
  readonly file: string
  readonly services: readonly ListedService[]
  /** are the servers in the order of the kernel's list? */
  readonly ordered: boolean
}
