import { type Prefix, parsePrefix } from '../../net/ip.ts'
import type { Loose } from './loose.ts'
import type { Metadata } from './metadata.ts'

/** IPPool, as far as it tells which packets go into a tunnel. */
export interface IpPool {
  readonly kind: 'IPPool'
  readonly metadata: Metadata
  /** absent: not one that could be read */
  readonly cidr?: Prefix
  /** how packets to pods of the pool reach another node: `Always` and `CrossSubnet` as Calico calls them */
  readonly tunnel: Tunnelling
}

/** Which packets between nodes go into a tunnel; `CrossSubnet`: those to nodes outside of the sender's own subnet. */
export type Tunnelling = 'Always' | 'CrossSubnet' | 'Never'

/** IPPool, read loosely: a cluster has it already. One of the two modes at most is not Never (libcalico-go, ValidateIPPool). */
export function ipPool(json: Readonly<Record<string, unknown>>, loose: Loose): IpPool {
  const at = ['spec']
  const spec = loose.object(json, 'spec', [])
  const cidr = parsePrefix(loose.text(spec, 'cidr', at) ?? '')
  const modes = [loose.text(spec, 'vxlanMode', at), loose.text(spec, 'ipipMode', at)]
  return {
    kind: 'IPPool',
    metadata: loose.metadata(json, ''),
    ...(cidr && { cidr }),
    tunnel: (['Always', 'CrossSubnet'] as const).find((mode) => modes.includes(mode)) ?? 'Never',
  }
}
