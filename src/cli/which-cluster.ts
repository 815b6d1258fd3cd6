import { join } from 'node:path'
import { NetctlError } from '../error.ts'
import { openSnapshot } from '../snapshot/open.ts'
import type { Snapshot } from '../snapshot/types.ts'
import { hasKubeconfig } from '../system/kubeconfig-files.ts'
import type { Flow } from '../trace/types.ts'
import type { Around } from './around.ts'
import { bounded } from './bounded.ts'
import type { LiveCluster, LiveFlags } from './live-cluster.ts'
import { pickSnapshot } from './pickers.ts'
import { changedBy, hostsSupposed, type WhatIfFlags } from './trace/what-if.ts'

export type ClusterFlags = LiveFlags & { readonly snapshot?: string | undefined }

/** The cluster that a question is about. */
export interface WhichCluster {
  /** of one that is read live the objects only, until `covering` */
  readonly snapshot: Snapshot
  /** flags that name it again */
  readonly again: readonly string[]
  /** was it not named by `--snapshot`? */
  readonly unnamed: boolean
  readonly live?: LiveCluster
}

/**
 * The snapshot at `--snapshot`, read within `--timeout`; else the running cluster of the kubeconfig's context. Without either a snapshot is picked on
 * a terminal; elsewhere USE006. Throws NetctlError KUB001 to KUB007 too, FileError, ParseError.
 */
export async function whichCluster(flags: ClusterFlags, around: Around): Promise<WhichCluster> {
  const { snapshot: path, timeout } = flags
  const named = flags.context !== undefined || flags.kubeconfig !== undefined
  if (path === undefined && (named || hasKubeconfig())) {
    // the client of Kubernetes takes long to load: only who asks a cluster pays
    const { openLiveCluster } = await import('./live-cluster.ts')
    const live = await bounded('reading the cluster', timeout, () => openLiveCluster(flags, around))
    return { snapshot: live.snapshot(), again: live.flags, unnamed: true, live }
  }
  if (path === undefined && !around.terminal.canPrompt) {
    throw new NetctlError({
      code: 'USE006',
      message: 'which cluster? there is no kubeconfig, and no snapshot was named',
      try: '--snapshot PATH, a folder or .tar.gz of dumps (examples/shop came with netctl), or --kubeconfig PATH',
    })
  }
  const chosen = path ?? (await pickSnapshot(process.cwd(), join(around.root, 'examples')))
  const snapshot = await openSnapshot(chosen, (load) => bounded('reading the snapshot', timeout, load))
  return { snapshot, again: ['--snapshot', chosen], unnamed: path === undefined }
}

export interface Covering {
  readonly timeout?: number | undefined
  /** nothing is told of what was read */
  readonly quiet?: boolean | undefined
  /** leave the way to nodes open: it is wanted again */
  readonly keepWay?: boolean | undefined
}

/** The cluster with everything that walks of these flows need, in the supposed world too; says on stderr what was read, and when. */
export async function covering(
  { snapshot, live }: WhichCluster,
  flows: readonly Flow[],
  flags: Covering & WhatIfFlags,
  { tell }: Around,
): Promise<Snapshot> {
  if (!live) return snapshot
  try {
    const read = async (): Promise<Snapshot> => {
      const whole = await live.cover(flows)
      const supposed = hostsSupposed(flags)
      await live.read(supposed)
      return supposed.length === 0 ? whole : live.cover(flows, (s) => changedBy(s, flags)?.snapshot ?? s)
    }
    return await bounded('reading the cluster', flags.timeout, read)
  } finally {
    if (!flags.keepWay) for (const left of await live.close()) tell(left)
    if (!flags.quiet) for (const note of live.notes()) tell(note)
  }
}
