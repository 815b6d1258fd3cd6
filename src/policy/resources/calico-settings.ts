import * as v from 'valibot'
import type { Selector } from '../../cluster/selector/types.ts'
import { calicoCidrOrIp } from './cidr.ts'
import type { Loose } from './loose.ts'
import { checkAnnotations, checkLabels, type Metadata, metadata, metadataOf } from './metadata.ts'
import { dnsSubdomain } from './names.ts'
import { fields, list, type Of, oneOf, optional, text, texts } from './schema.ts'
import { selector } from './selector.ts'

/** FelixConfiguration: what the agent of Calico does where policies leave it open; its fields are read where they are used. */
export interface FelixConfiguration {
  readonly kind: 'FelixConfiguration'
  readonly metadata: Metadata
  readonly spec: Readonly<Record<string, unknown>>
}

/** FelixConfiguration, as it stands. */
export function felixConfiguration(json: Readonly<Record<string, unknown>>, loose: Loose): FelixConfiguration {
  return { kind: 'FelixConfiguration', metadata: loose.metadata(json, ''), spec: loose.object(json, 'spec', []) }
}

/** KubeControllersConfiguration of Calico, as far as it makes host endpoints of nodes. */
export interface KubeControllersConfiguration {
  readonly kind: 'KubeControllersConfiguration'
  readonly metadata: Metadata
  /** undefined: no host endpoints are made */
  readonly hostEndpoints?: {
    /** one of `*` for each node */
    readonly createDefault: boolean
    readonly templates: readonly HostEndpointTemplate[]
  }
}

export interface HostEndpointTemplate {
  readonly generateName: string
  readonly interfaceCIDRs: readonly string[]
  readonly interfacePattern: string
  readonly labels: Readonly<Record<string, string>>
  /** on labels of nodes */
  readonly nodeSelector?: Selector
}

const template = fields({
  generateName: optional(
    text((name) => (name === '' ? undefined : dnsSubdomain(name))),
    '',
  ),
  interfaceCIDRs: optional(list(text(calicoCidrOrIp)), []),
  interfacePattern: optional(text(), ''),
  labels: optional(texts(checkLabels), {}),
  annotations: optional(texts(checkAnnotations), {}),
  nodeSelector: optional(selector('anywhere')),
})

const enabled = oneOf(['Enabled', 'Disabled'])
const any = optional(v.unknown())

/** Controllers that make no endpoints may be set up in any way. */
export const kubeControllersConfigurationSchema = fields({
  apiVersion: any,
  kind: any,
  metadata: metadata(),
  spec: optional(
    v.looseObject({
      controllers: optional(
        v.looseObject({
          node: optional(
            v.looseObject({
              hostEndpoint: optional(
                fields({
                  autoCreate: optional(enabled, 'Disabled'),
                  createDefaultHostEndpoint: optional(enabled, 'Enabled'),
                  templates: optional(list(template), []),
                }),
              ),
            }),
          ),
        }),
      ),
    }),
    {},
  ),
  status: any,
})

/** KubeControllersConfiguration, checked before by its schema. */
export function kubeControllersConfiguration({
  metadata,
  spec,
}: Of<typeof kubeControllersConfigurationSchema>): KubeControllersConfiguration {
  const settings = spec.controllers?.node?.hostEndpoint
  return {
    kind: 'KubeControllersConfiguration',
    metadata: metadataOf(metadata, ''),
    ...(settings?.autoCreate === 'Enabled' && {
      hostEndpoints: { createDefault: settings.createDefaultHostEndpoint === 'Enabled', templates: settings.templates },
    }),
  }
}
