import { type CalicoRule, calicoRule } from './calico-rule.ts'
import { checkLabels, type Metadata, metadata, metadataOf } from './metadata.ts'
import { fields, list, type Of, optional, text, texts } from './schema.ts'

/** Profile of Calico: what endpoints that list it inherit, and what decides where no tier did. */
export interface Profile {
  readonly kind: 'Profile'
  readonly metadata: Metadata
  readonly ingress: readonly CalicoRule[]
  readonly egress: readonly CalicoRule[]
  readonly labelsToApply: Readonly<Record<string, string>>
}

export const profileSchema = fields({
  apiVersion: optional(text()),
  kind: optional(text()),
  metadata: metadata(),
  spec: optional(
    fields({
      ingress: optional(list(calicoRule, { max: 1024 }), []),
      egress: optional(list(calicoRule, { max: 1024 }), []),
      labelsToApply: optional(texts(checkLabels), {}),
    }),
    {},
  ),
})

/** What a checked Profile says; without a spec it has no rules and no labels. */
export function profile({ metadata, spec }: Of<typeof profileSchema>): Profile {
  return { kind: 'Profile', metadata: metadataOf(metadata, ''), ...spec }
}
