import type { NetctlError } from '../../error.ts'
import type { Json } from '../items.ts'

/** One API object of a manifest, a list or a dump: what it says, and where it says so. */
export interface ManifestObject {
  /** `networking.k8s.io/v1` */
  readonly apiVersion: string
  readonly kind: string
  /** of a namespaced kind: the one that is written, else the default that the text was read with. Absent: a kind of the whole cluster */
  readonly namespace?: string
  /** '' where none is written, or something that is no text: kinds that need one are refused by src/policy/resources */
  readonly name: string
  /** the whole object, plain data as JSON.parse makes it; nothing of it is checked but apiVersion and kind */
  readonly value: Json
  /** as the user can find it: a path, `-`, a file of a snapshot, or where a live cluster gave it */
  readonly file: string
  /** line (from 1) on which the object starts; found when it is asked for */
  readonly line: number
  /** for position.ts */
  readonly place: Place
}

/** Way to a field: `['spec', 'ingress', 0, 'ports']` */
export type FieldPath = readonly (string | number)[]

/** Where an object stands: its document, and the way to it in there (`['items', 3]` in a List; empty for most). */
export interface Place {
  readonly document: Document
  readonly path: FieldPath
}

/** A text with its name. */
export interface ManifestText {
  readonly file: string
  readonly text: string
  /** line (from 1) of an offset */
  readonly lineAt: (offset: number) => number
}

/** One document of a text: from its first character that is neither space nor comment up to the next `---`. */
export interface Document {
  readonly source: ManifestText
  readonly start: number
  readonly end: number
  readonly syntax: 'json' | 'yaml'
}

/** What a text holds. */
export interface Manifest {
  readonly objects: readonly ManifestObject[]
  /** objects of kinds that have no say in policies, by kind: how many were left out */
  readonly skipped: ReadonlyMap<string, number>
  /** what was left out although it could matter, each with its place; one sentence, no full stop */
  readonly warnings: readonly Warning[]
  /** documents and objects that Kubernetes would not take, each with its place and what to do */
  readonly refused: readonly NetctlError[]
}

export interface Warning {
  readonly file: string
  readonly line: number
  readonly message: string
}
