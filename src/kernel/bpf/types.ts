import type { Source } from '../source.ts'

/** A BPF program on a device, where packets meet it before (or after) everything that the other dumps show. */
export interface DeviceProgram {
  readonly source: Source
  readonly device: string
  /** `xdp` and `ingress` see what comes in by the device, `egress` what goes out by it */
  readonly at: 'xdp' | 'ingress' | 'egress'
  /** name of the filter or program, where the tool prints one: `cil_from_netdev` */
  readonly name?: string
}
