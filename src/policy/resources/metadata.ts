import * as v from 'valibot'
import { labelKeyProblems, labelValueProblems } from '../../cluster/selector/kubernetes.ts'
import { dnsLabel, dnsSubdomain } from './names.ts'
import { fields, list, type Of, optional, type Say, text, texts } from './schema.ts'

/** What is used of an object's metadata. */
export interface Metadata {
  readonly name: string
  /** empty for kinds that have none */
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** apimachinery's TotalAnnotationSizeLimitB */
const ANNOTATION_BYTES = 256 * 1024

/** Says what an API server would refuse of labels. */
export function checkLabels(labels: Readonly<Record<string, string>>, say: Say): void {
  for (const key in labels) {
    for (const wrong of labelKeyProblems(key)) say([key], wrong)
    for (const wrong of labelValueProblems(labels[key] as string)) say([key], wrong)
  }
}

/** Says what an API server would refuse of annotations. */
export function checkAnnotations(annotations: Readonly<Record<string, string>>, say: Say): void {
  let size = 0
  for (const key in annotations) {
    // keys of annotations may be in upper case (ValidateAnnotations)
    for (const wrong of labelKeyProblems(key.toLowerCase())) say([key], wrong)
    size += key.length + (annotations[key] as string).length
  }
  if (size > ANNOTATION_BYTES) say([], `annotations have ${size} characters, at most ${ANNOTATION_BYTES} are allowed`)
}

/** ObjectMeta. `name`: what this kind takes for a name. The namespace is filled in by `metadataOf`. */
export function metadata(name: (name: string) => string | undefined = dnsSubdomain) {
  return fields(
    {
      name: optional(text(name)),
      generateName: optional(text()),
      namespace: optional(text(dnsLabel)),
      labels: optional(texts(checkLabels), {}),
      annotations: optional(texts(checkAnnotations), {}),
      // written by the API server: read from a cluster they are there, and mean nothing to policy
      creationTimestamp: optional(v.unknown()),
      deletionGracePeriodSeconds: optional(v.unknown()),
      deletionTimestamp: optional(v.unknown()),
      finalizers: optional(list(text())),
      generation: optional(v.unknown()),
      managedFields: optional(v.unknown()),
      ownerReferences: optional(v.unknown()),
      resourceVersion: optional(v.unknown()),
      selfLink: optional(v.unknown()),
      uid: optional(v.unknown()),
    },
    {
      of: ['name', 'generateName'],
      check({ name, generateName }, say) {
        if (name === undefined && generateName === undefined) say(['name'], 'is required')
      },
    },
  )
}

/** What `metadata` yields. */
type ReadMetadata = Of<ReturnType<typeof metadata>>

/** The part of ObjectMeta that is used. `namespace`: for objects of a namespaced kind that name none; empty for other kinds, whose own is not looked at. */
export function metadataOf(read: ReadMetadata, namespace: string): Metadata {
  return {
    name: read.name ?? read.generateName ?? '',
    namespace: namespace && (read.namespace ?? namespace),
    labels: read.labels,
    annotations: read.annotations,
  }
}
