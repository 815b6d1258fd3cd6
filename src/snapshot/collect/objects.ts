import { type Json, rec } from '../../cluster/items.ts'
import { RESOURCES, type Resource } from '../../cluster/manifest/kinds.ts'
import { type Allowed, qualified } from '../../kube/list-objects.ts'
import { RUN } from '../../kube/node-job.ts'
import { cut } from './cut.ts'

/** What traces ask of Calico beside what policies ask: whose an address is. */
const ADDRESSES = [
  { plural: 'ipamblocks', kind: 'IPAMBlock' },
  { plural: 'workloadendpoints', kind: 'WorkloadEndpoint' },
]

/** The kinds of objects in a snapshot. */
export const SNAPSHOT_RESOURCES: readonly Resource[] = [
  ...RESOURCES,
  ...ADDRESSES.flatMap((one) => [
    { group: 'projectcalico.org', version: 'v3', ...one },
    { group: 'crd.projectcalico.org', version: 'v1', ...one },
  ]),
]

/** Files of a snapshot for the objects of a cluster, and what the rights did not reach to. */
export function clusterFiles({ lists, warnings, refused, failed }: Allowed): {
  readonly files: Iterable<readonly [name: string, text: string]>
  /** of objects in them */
  readonly count: number
  readonly missing: readonly string[]
} {
  return {
    // one after the other: the text of ten thousand Services is large
    files: texts(lists),
    count: lists.reduce((sum, { values }) => sum + values.filter(isTheirs).length, 0),
    missing: [
      ...refused.map(
        (right) => `cluster/${right.replace(/^\w+ (?:tier\.)?/, '')}.json: the right lacks to ${right}: kubectl auth can-i ${right} -A`,
      ),
      ...failed.map(({ resource, error }) => `cluster/${qualified(resource)}.json: not read: ${error.message}`),
      ...warnings,
    ],
  }
}

function* texts(lists: Allowed['lists']): Iterable<readonly [string, string]> {
  for (const { resource, values } of lists) {
    const { group, version, kind } = resource
    const apiVersion = group === '' ? version : `${group}/${version}`
    // a line a field, as kubectl prints them, so that evidence can point at one
    yield [
      `cluster/${qualified(resource)}.json`,
      `${JSON.stringify({ apiVersion, kind: `${kind}List`, items: values.filter(isTheirs).map(cut) }, undefined, 1)}\n`,
    ]
  }
}

/** The pods by which nodes are being read are gone a moment later. */
const isTheirs = ({ kind, metadata }: Json): boolean => kind !== 'Pod' || rec(rec(metadata).labels)[RUN] === undefined
