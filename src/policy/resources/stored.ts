import type { ManifestObject } from '../../cluster/manifest/types.ts'
import { problem, type ResourceProblem } from './problem.ts'

type Json = Readonly<Record<string, unknown>>

const METADATA = 'projectcalico.org/metadata'

/**
 * Calico's objects as they are stored (crd.projectcalico.org/v1) with the metadata that their users gave them: that lies in an annotation, and
 * the object's own is but a place to keep it (libcalico-go/lib/backend/k8s/resources). Before v3.30 the name was stored with `default.` in front.
 */
export function asUsersSee(object: ManifestObject): { readonly value: Json } | { readonly problems: readonly ResourceProblem[] } {
  const { value } = object
  const own = value.metadata as Json | undefined
  const annotations = own?.annotations as Json | null | undefined
  const kept = annotations?.[METADATA]
  const name = inDefaultTier(value) ? object.name.replace(/^default\./, '') : object.name
  if (typeof kept !== 'string') return { value: { ...value, metadata: { ...own, name } } }
  let users: unknown
  try {
    users = JSON.parse(kept)
  } catch {}
  if (typeof users !== 'object' || users === null || Array.isArray(users))
    return { problems: [problem(['metadata', 'annotations', METADATA], 'is no JSON object: it holds what Calico keeps of the metadata')] }
  return { value: { ...value, metadata: { name, ...users, ...(own?.namespace !== undefined && { namespace: own.namespace }) } } }
}

function inDefaultTier({ kind, spec }: Json): boolean {
  const tier = (spec as Json | undefined)?.tier
  return String(kind).endsWith('NetworkPolicy') && (tier === undefined || tier === null || tier === '' || tier === 'default')
}
