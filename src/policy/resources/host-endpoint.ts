import { calicoProtocol, hasPorts } from './calico-rule.ts'
import { address } from './cidr.ts'
import { type Metadata, metadata, metadataOf } from './metadata.ts'
import { dnsSubdomain, portName } from './names.ts'
import { fields, integer, list, type Of, optional, text } from './schema.ts'

/** HostEndpoint of Calico: interfaces of a node that policies select by labels. */
export interface HostEndpoint {
  readonly kind: 'HostEndpoint'
  readonly metadata: Metadata
  readonly node: string
  /** `*` is all interfaces; undefined: the one that has an expected address */
  readonly interfaceName?: string
  readonly expectedIPs: readonly string[]
  readonly profiles: readonly string[]
  /** named ports; `protocol` is an IP protocol number */
  readonly ports: readonly { readonly name: string; readonly protocol: number; readonly port: number }[]
}

const port = fields(
  { name: text(portName), protocol: calicoProtocol, port: integer(1, 65535) },
  {
    of: ['protocol'],
    check({ protocol }, say) {
      if (!hasPorts(protocol)) say(['protocol'], 'must be TCP, UDP or SCTP: others have no ports')
    },
  },
)

const INTERFACE = /^[A-Za-z0-9_.-]{1,15}$/

export const hostEndpointSchema = fields({
  apiVersion: optional(text()),
  kind: optional(text()),
  metadata: metadata(),
  spec: fields(
    {
      node: text((node) => (node === '' ? 'is required' : dnsSubdomain(node))),
      interfaceName: optional(
        text((name) =>
          name === '' || name === '*' || INTERFACE.test(name)
            ? undefined
            : `${JSON.stringify(name.slice(0, 60))} must be "*" or at most 15 letters, digits, "-", "_" and "."`,
        ),
        '',
      ),
      expectedIPs: optional(list(text(address)), []),
      profiles: optional(list(text(dnsSubdomain)), []),
      ports: optional(list(port), []),
    },
    {
      of: ['interfaceName', 'expectedIPs'],
      check({ interfaceName, expectedIPs }, say) {
        if (interfaceName === '' && expectedIPs.length === 0) say([], 'must have interfaceName or expectedIPs')
      },
    },
  ),
})

/** What a checked HostEndpoint says; an empty `interfaceName` counts as none. */
export function hostEndpoint({ metadata, spec }: Of<typeof hostEndpointSchema>): HostEndpoint {
  const { node, interfaceName, expectedIPs, profiles, ports } = spec
  return {
    kind: 'HostEndpoint',
    metadata: metadataOf(metadata, ''),
    node,
    ...(interfaceName && { interfaceName }),
    expectedIPs,
    profiles,
    ports,
  }
}
