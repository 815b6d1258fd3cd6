import type { EndpointRef } from '../../cluster/endpoint-syntax.ts'
import type { ManifestObject } from '../../cluster/manifest/types.ts'
import type { Glob } from './glob.ts'

/** A document of kind PolicyTest: what somebody means the policies to do. */
export interface PolicyTest {
  readonly object: ManifestObject
  readonly name: string
  /** manifests to judge, as written: relative to the file */
  readonly manifests: readonly string[]
  readonly expectations: readonly Expectation[]
}

/** Every pair of an end of `from` and one of `to` must fare so, at each of the ports. */
export interface Expectation {
  readonly test: PolicyTest['object']
  /** place in `spec.tests` */
  readonly index: number
  readonly name?: string
  readonly from: EndPattern
  readonly to: EndPattern
  readonly ports: PortPattern
  readonly expect: 'allow' | 'deny'
  /** policy that must decide, `[NAMESPACE/]NAME` */
  readonly by?: string
  /** what if the staged policies went live */
  readonly staged: boolean
}

export type EndPattern =
  | { readonly kind: 'typed'; readonly text: string; readonly ref: EndpointRef }
  /** all pods that fit; workloads where pods are not there yet */
  | {
      readonly kind: 'pods'
      readonly text: string
      readonly namespace?: Glob
      readonly name?: Glob
      readonly labels: readonly LabelPattern[]
      readonly namespaceLabels: readonly LabelPattern[]
    }

export interface LabelPattern {
  readonly key: string
  readonly value: Glob
}

export type PortPattern =
  /** those that the destination declares */
  | { readonly kind: 'declared' }
  /** every port of TCP, UDP and SCTP */
  | { readonly kind: 'all' }
  | { readonly kind: 'list'; readonly ports: readonly PortRef[] }

/** A port by number, by its name at the destination, or a protocol without ports (ICMP, or by number). */
export interface PortRef {
  /** IP protocol number; undefined: what a port of that name has, TCP for numbers */
  readonly protocol?: number
  readonly port?: number | string
}
