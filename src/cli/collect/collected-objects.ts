import { rec, str } from '../../cluster/items.ts'
import { NetctlError } from '../../error.ts'
import type { PodNames } from '../../snapshot/collect/pod-names.ts'
import type { ReadNode } from '../../snapshot/types.ts'
import type { NewSnapshot } from '../../system/new-snapshot.ts'

export interface AddedObjects {
  /** undefined: the cluster was not asked, or did not answer */
  readonly count: number | undefined
  readonly context: string
  /** names of its nodes; undefined where they may not be listed */
  readonly nodes: ReadonlySet<string> | undefined
  readonly pods?: PodNames
  readonly missing: readonly string[]
}

const NOT_ASKED: AddedObjects = { count: undefined, context: '', nodes: undefined, missing: [] }

/**
 * Adds the cluster's objects to a snapshot, if a context is named or nodes are not read another way (`elsewhere`). Throws NetctlError KUB001 to KUB007 if
 * there is nothing else: with nodes, an API server that is down is one more thing that is missing.
 */
export async function addObjects(
  into: Pick<NewSnapshot, 'write'>,
  { kubeconfig, context }: { readonly kubeconfig?: string | undefined; readonly context?: string | undefined },
  { elsewhere, withNodes }: { readonly elsewhere: boolean; readonly withNodes: boolean },
  tell: (text: string) => void,
): Promise<AddedObjects> {
  if (elsewhere && kubeconfig === undefined && context === undefined) return NOT_ASKED
  // nodes alone need no API server, and are read where there is none
  const { readAllowed } = await import('../../kube/read-cluster.ts')
  const { clusterFiles, SNAPSHOT_RESOURCES } = await import('../../snapshot/collect/objects.ts')
  const { podNames } = await import('../../snapshot/collect/pod-names.ts')
  try {
    const read = await readAllowed(kubeconfig, context, SNAPSHOT_RESOURCES)
    const { files, count, missing } = clusterFiles(read)
    for (const [name, text] of files) into.write(name, text)
    tell(`${read.name}: ${count} objects`)
    const nodes = read.lists
      .find(({ resource }) => resource.kind === 'Node')
      ?.values.flatMap(({ metadata }) => str(rec(metadata).name) ?? [])
    const pods = read.lists.find(({ resource }) => resource.kind === 'Pod')?.values
    return { count, context: read.name, nodes: nodes && new Set(nodes), ...(pods && { pods: podNames(pods.map(rec)) }), missing }
  } catch (error) {
    if (!withNodes || !(error instanceof NetctlError)) throw error
    return { ...NOT_ASKED, missing: [`cluster: not read: ${error.message}`] }
  }
}

/** Nodes that were read under names that the cluster does not know: what they do is not brought together with their pods. */
export const strangers = ({ context, nodes }: AddedObjects, read: readonly ReadNode[]): readonly string[] =>
  read.flatMap(({ node }) =>
    node === undefined || nodes === undefined || nodes.has(node)
      ? []
      : [`nodes/${node}: the cluster of ${context} has no node of this name`],
  )
