import { namespaceLabels, serviceAccountLabels } from '../../cluster/selector/calico.ts'
import { inheriting, labelMap } from '../../cluster/selector/labels.ts'
import type { LabelSet } from '../../cluster/selector/types.ts'
import type { Loaded } from '../build.ts'

/** Namespaces and service accounts: whose labels endpoints inherit. */
export interface Surroundings {
  /** all that are there or are named, with `kubernetes.io/metadata.name` */
  readonly namespaces: ReadonlyMap<string, LabelSet>
  /** namespaces that objects are in, and that are not among the input */
  readonly missing: readonly string[]
  /** what an endpoint or network set of a namespace inherits from it */
  inherited(namespace: string): LabelSet
  /** what an endpoint inherits from a service account */
  accountLabels(namespace: string, name: string): LabelSet
}

const METADATA_NAME = 'kubernetes.io/metadata.name'

/** What namespaces and service accounts of the input give to what is in them. */
export function surroundings(input: readonly Loaded[]): Surroundings {
  const namespaces = new Map<string, LabelSet>()
  const accounts = new Map<string, LabelSet>()
  const used = new Set<string>()
  for (const { resource } of input) {
    const { metadata } = resource
    if (resource.kind === 'Namespace') namespaces.set(metadata.name, named(metadata.name, metadata.labels))
    else if (resource.kind === 'ServiceAccount') accounts.set(`${metadata.namespace}/${metadata.name}`, labelMap(metadata.labels))
    if (metadata.namespace && resource.kind !== 'Namespace') used.add(metadata.namespace)
  }
  const missing = [...used].filter((name) => !namespaces.has(name)).sort()
  for (const name of missing) namespaces.set(name, named(name, {}))
  const inheritedLabels = new Map([...namespaces].map(([name, labels]) => [name, namespaceLabels(name, labels)]))
  const known = new Map<string, LabelSet>()
  return {
    namespaces,
    missing,
    inherited: (namespace) => inheritedLabels.get(namespace) ?? new Map(),
    accountLabels(namespace, name) {
      const key = `${namespace}/${name}`
      let labels = known.get(key)
      if (!labels) known.set(key, (labels = serviceAccountLabels(name, accounts.get(key) ?? new Map())))
      return labels
    },
  }
}

/** The API server gives every namespace its name as a label. */
const named = (name: string, labels: Readonly<Record<string, string>>): LabelSet =>
  inheriting(new Map([[METADATA_NAME, name]]), [labelMap(labels)])
