import { type ClusterFiles, expectList } from '../items.ts'
import { RESOURCES, type Resource } from './kinds.ts'
import { expectWhole, joinManifests, readManifest } from './read.ts'
import type { Manifest, ManifestObject } from './types.ts'

/**
 * The objects of a snapshot's cluster/ folder that policies need. Calico's stand there as its API shows them (projectcalico.org) or as they are stored
 * (crd.projectcalico.org), or both: the first that has any is taken, kind by kind. Throws NetctlError or ParseError for a dump that is damaged.
 */
export function readDump({ files, text }: ClusterFiles): Manifest {
  const stored = new Map(files.map((file) => [file.replace(/\.gz$/, ''), file]))
  const read = ({ plural, group }: Resource): Manifest[] => {
    const names = [`${plural}.${group}`, ...(group.endsWith('projectcalico.org') ? [] : [plural])]
    const file = names.flatMap((name) => stored.get(`cluster/${name}.json`) ?? stored.get(`cluster/v3/${name}.json`) ?? [])[0]
    if (file === undefined) return []
    expectList(text(file), file)
    return [readManifest(text(file), file, { namespace: 'default' })]
  }
  const byKind = new Map<string, Manifest[]>()
  for (const resource of RESOURCES) {
    const key = resource.group === 'crd.projectcalico.org' ? `projectcalico.org/${resource.plural}` : `${resource.group}/${resource.plural}`
    if (!byKind.get(key)?.some((manifest) => manifest.objects.length > 0)) byKind.set(key, read(resource))
  }
  const whole = joinManifests([...byKind.values()].flat())
  // what an API server printed, an API server took
  expectWhole(whole)
  const { objects, ...rest } = whole
  return { ...rest, objects: objects.filter((object) => !isShadow(object)) }
}

/**
 * Calico's API shows policies of Kubernetes among its own, and profiles that stand for namespaces and service accounts. They are copies: what they
 * are copies of is read itself.
 */
export function isShadow({ apiVersion, kind, name }: ManifestObject): boolean {
  if (apiVersion !== 'projectcalico.org/v3') return false
  if (kind === 'Profile') return /^k(?:ns|sa)\.|^projectcalico-default-allow$/.test(name)
  return kind.endsWith('NetworkPolicy') && /^(?:knp|kcnp|kanp|kbanp)\./.test(name)
}
