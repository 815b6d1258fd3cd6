import type { NetctlError } from '../../error.ts'
import { canonicalText } from './documents.ts'
import { splitApiVersion } from './kinds.ts'
import { joinManifests } from './read.ts'
import { objectRefusal } from './refuse.ts'
import type { Manifest, ManifestObject, Warning } from './types.ts'

/** Two objects with one identity are one object of a cluster, whatever version of the API they are written in. */
export function identityOf({ apiVersion, kind, namespace, name }: ManifestObject): string {
  const { group } = splitApiVersion(apiVersion)
  const calico = group === 'crd.projectcalico.org' || group === 'projectcalico.org'
  const api = calico ? 'projectcalico.org' : group === 'extensions' ? 'apps' : group
  // older Calico stores policies of the default tier under `default.NAME`, and takes both names for one
  const own = calico && kind.endsWith('NetworkPolicy') ? name.replace(/^default\./, '') : name
  return JSON.stringify([api, kind, namespace ?? '', own])
}

/** How messages call an object: `NetworkPolicy shop/api`. */
export const titleOf = ({ kind, namespace, name }: ManifestObject): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`

/**
 * A manifest in which every object stands once. The same thing said twice is a warning; of two that differ the second is refused, with both places: kubectl
 * would let the later one win, in an order that nobody sees. netctl's own kinds are no objects of a cluster, and what has no name is no object at all.
 */
export function distinct(manifest: Manifest): Manifest {
  const found = new Map<string, ManifestObject>()
  const warnings: Warning[] = []
  const refused: NetctlError[] = []
  const objects = manifest.objects.filter((object) => {
    if (object.name === '' || object.apiVersion.startsWith('netctl.dev/')) return true
    const identity = identityOf(object)
    const first = found.get(identity)
    if (first === undefined) {
      found.set(identity, object)
      return true
    }
    const twice = `${titleOf(object)} stands twice: here and in ${first.file}:${first.line}`
    if (canonicalText(first.value) === canonicalText(object.value)) warnings.push({ file: object.file, line: object.line, message: twice })
    else refused.push(objectRefusal(object, twice, 'keep one of the two; what should replace another goes into --with'))
    return false
  })
  if (warnings.length + refused.length === 0) return manifest
  return { ...manifest, objects, warnings: [...manifest.warnings, ...warnings], refused: [...manifest.refused, ...refused] }
}

/** The objects of a base, and `changes` in place of what has the same identity. */
export function merge(base: readonly ManifestObject[], changes: readonly ManifestObject[]): readonly ManifestObject[] {
  const replaced = new Set(changes.map(identityOf))
  return [...base.filter((object) => !replaced.has(identityOf(object))), ...changes]
}

/** The same with everything else that is known of the two. */
export const overlay = (base: Manifest, changes: Manifest): Manifest => ({
  ...joinManifests([base, changes]),
  objects: merge(base.objects, changes.objects),
})
