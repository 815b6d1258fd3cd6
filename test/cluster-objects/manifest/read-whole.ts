import { expectWhole, readManifest } from '../../../src/cluster/manifest/read.ts'
import type { Manifest, ManifestObject } from '../../../src/cluster/manifest/types.ts'

/** A manifest of which nothing is refused. */
export const read = (text: string, file = 'a.yaml'): Manifest => {
  const manifest = readManifest(text, file, { namespace: 'default' })
  expectWhole(manifest)
  return manifest
}

/** The one object of a manifest. */
export const only = (text: string): ManifestObject => {
  const [object, ...others] = read(text).objects
  if (!object || others.length > 0) throw new Error('not one object')
  return object
}
