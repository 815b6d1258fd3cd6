import { labelMap } from '../../cluster/selector/labels.ts'
import type { Loaded } from '../build.ts'
import type { Profile } from '../model.ts'
import { calicoRules } from './calico.ts'
import { allWith, DEFAULT_ALLOW } from './hosts.ts'

export interface Profiles {
  readonly profiles: ReadonlyMap<string, Profile>
  /** labelsToApply of those that are written out */
  readonly labels: ReadonlyMap<string, ReadonlyMap<string, string>>
}

/**
 * What endpoints fall back to: `kns.NAMESPACE` lets everything pass, `ksa.NAMESPACE.ACCOUNT` has labels only
 * (libcalico-go/lib/backend/k8s/conversion/conversion.go); others are as written.
 */
export function profiles(input: readonly Loaded[], namespaces: Iterable<string>): Profiles {
  const found = new Map<string, Profile>([[DEFAULT_ALLOW.name, DEFAULT_ALLOW]])
  const labels = new Map<string, ReadonlyMap<string, string>>()
  for (const namespace of namespaces) found.set(`kns.${namespace}`, allWith(`kns.${namespace}`, 'allow'))
  for (const { resource, object } of input) {
    if (resource.kind === 'ServiceAccount') {
      const name = `ksa.${resource.metadata.namespace}.${resource.metadata.name}`
      found.set(name, { name, ingressRules: [], egressRules: [] })
    }
    // the derived ones, as a dump of Calico's API shows them, say what their namespaces say
    if (resource.kind !== 'Profile' || /^k(ns|sa)\./.test(resource.metadata.name)) continue
    const { name } = resource.metadata
    labels.set(name, labelMap(resource.labelsToApply))
    found.set(name, {
      name,
      ingressRules: calicoRules(resource.ingress, undefined, 'ingress', object),
      egressRules: calicoRules(resource.egress, undefined, 'egress', object),
      origin: { object, path: [] },
    })
  }
  return { profiles: found, labels }
}
