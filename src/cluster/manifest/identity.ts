import { splitApiVersion } from './kinds.ts'
import { refuseObject } from './refuse.ts'
import type { ManifestObject } from './types.ts'

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
 * Objects by identity. One that stands twice is refused with both places: kubectl would let the later file win, in an order that nobody
 * sees. netctl's own kinds are no objects of a cluster and stay out, and so does what has no name.
 */
function byIdentity(objects: readonly ManifestObject[]): ReadonlyMap<string, ManifestObject> {
  const found = new Map<string, ManifestObject>()
  for (const object of objects) {
    if (object.name === '' || object.apiVersion.startsWith('netctl.dev/')) continue
    const identity = identityOf(object)
    const first = found.get(identity)
    if (first !== undefined) {
      refuseObject(
        object,
        `${titleOf(object)} stands twice: here and in ${first.file}:${first.line}`,
        'keep one of the two; what should replace another goes into --with',
      )
    }
    found.set(identity, object)
  }
  return found
}

/** The objects of a base, and those of `changes` in place of what has the same identity. Throws NetctlError MAN002 where one of the two has an object twice. */
export function merge(base: readonly ManifestObject[], changes: readonly ManifestObject[]): readonly ManifestObject[] {
  byIdentity(base)
  const replaced = byIdentity(changes)
  return replaced.size === 0 && changes.length === 0 ? base : [...base.filter((object) => !replaced.has(identityOf(object))), ...changes]
}
