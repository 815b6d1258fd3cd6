import { calicoCidrOrIp } from './cidr.ts'
import { type Metadata, metadata, metadataOf } from './metadata.ts'
import { fields, list, type Of, optional, text } from './schema.ts'

/** NetworkSet or GlobalNetworkSet of Calico: addresses with labels, which selectors of rules find. */
export interface NetworkSet {
  readonly kind: 'NetworkSet' | 'GlobalNetworkSet'
  /** `namespace` is empty for a GlobalNetworkSet */
  readonly metadata: Metadata
  /** CIDRs or addresses; host bits mean nothing */
  readonly nets: readonly string[]
}

export const networkSetSchema = fields(
  {
    apiVersion: optional(text()),
    kind: optional(text()),
    metadata: metadata(),
    spec: optional(fields({ nets: optional(list(text(calicoCidrOrIp)), []) }), {}),
  },
  ({ metadata }, say) => {
    // Calico sets it itself
    if (metadata.labels['projectcalico.org/namespace'] !== undefined)
      say(['metadata', 'labels', 'projectcalico.org/namespace'], 'is a label that Calico keeps for itself')
  },
)

/** `namespace`: of a NetworkSet that names none; empty for the global kind. */
export function networkSet(kind: NetworkSet['kind'], { metadata, spec }: Of<typeof networkSetSchema>, namespace: string): NetworkSet {
  return { kind, metadata: metadataOf(metadata, namespace), nets: spec.nets }
}
