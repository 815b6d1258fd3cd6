import type { Ip } from '../../net/ip.ts'
import type { Source } from '../source.ts'

/** One entry of `ip -j neigh`. */
export interface Neighbour {
  readonly source: Source
  readonly ip: Ip
  readonly device: string
  readonly mac?: string
  /** NUD states: `REACHABLE`, `STALE`, `PERMANENT`, `FAILED`, … */
  readonly states: readonly string[]
  /** an address that this host answers for (`ip neigh add proxy`), not one that it knows */
  readonly proxy: boolean
  readonly router: boolean
}

/** One entry of `bridge -j fdb show`. */
export interface FdbEntry {
  readonly source: Source
  readonly mac: string
  readonly device: string
  /** remote VTEP of a vxlan device */
  readonly remote?: Ip
  readonly vni?: number
  /** UDP port of the remote, if not the device's own */
  readonly port?: number
  /** device that packets to the remote leave by, if the entry says so */
  readonly via?: string
  readonly master?: string
  readonly flags: readonly string[]
  readonly state?: string
}

/** Anything but FAILED and INCOMPLETE (and NONE) can be sent to at once. */
export const isUsable = (n: Neighbour): boolean =>
  n.mac !== undefined && !n.proxy && !n.states.some((s) => s === 'FAILED' || s === 'INCOMPLETE' || s === 'NONE')
