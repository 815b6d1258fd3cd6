import { rec, str } from '../../cluster/items.ts'
import { NetctlError } from '../../error.ts'
import type { Via } from '../../kube/open-way.ts'
import { nearest } from '../../nearest.ts'
import type { Way } from '../../system/way.ts'

export interface ByApi {
  readonly context?: string | undefined
  readonly kubeconfig?: string | undefined
  readonly via: Via
  /** all, if not said */
  readonly nodes?: readonly string[] | undefined
  readonly 'pod-namespace'?: string | undefined
  readonly 'pod-image': string
  /** for each node, in milliseconds */
  readonly timeout: number
}

export interface Reached {
  readonly names: readonly string[]
  /** undefined: there is none, and `missing` says why */
  readonly way: Way | undefined
  readonly missing: readonly string[]
}

/** from when its time is over to when its pod is: what takes it away must have time for it */
const GRACE_MS = 30_000

/** Nodes of the cluster of a context, and the way to them. Throws NetctlError KUB001 to KUB007, USE005 for a node that is not there. */
export async function nodesByApi(
  asked: ByApi,
  talk: { readonly consent: (plan: readonly string[]) => Promise<boolean>; readonly say: (text: string) => void },
): Promise<Reached> {
  const { openContext } = await import('../../kube/kubeconfig.ts')
  const { listAll, NODES } = await import('../../kube/list-objects.ts')
  const { openWay } = await import('../../kube/open-way.ts')
  const { openRequests } = await import('../../kube/requests.ts')
  const open = await openContext(asked.kubeconfig, asked.context)
  const listed = await listAll(await openRequests(open), NODES)
  const there = listed?.flatMap(({ metadata }) => str(rec(metadata).name) ?? [])
  const names = there ? wanted(asked.nodes ?? there, there) : asked.nodes
  if (names === undefined)
    return { names: [], way: undefined, missing: ['nodes: not read: the right lacks to list nodes; --nodes can name them'] }
  if (names.length === 0) return { names, way: undefined, missing: [] }
  const way = await openWay(open, {
    via: asked.via,
    nodes: names,
    podNamespace: asked['pod-namespace'],
    podImage: asked['pod-image'],
    patienceMs: asked.timeout,
    lifetimeMs: asked.timeout + GRACE_MS,
    consent: talk.consent,
    tell: talk.say,
  })
  if ('missing' in way) return { names: [], way: undefined, missing: [`nodes: not read: ${way.missing}`] }
  talk.say(`nodes are read by ${way.said}`)
  return { names, way, missing: way.unseen }
}

function wanted(names: readonly string[], there: readonly string[]): readonly string[] {
  for (const name of names) {
    if (there.includes(name)) continue
    const near = nearest(name, there)
    throw new NetctlError({
      code: 'USE005',
      message: `--nodes ${name}: the cluster has no node of this name`,
      try: near.length > 0 ? `--nodes ${near.join(', or --nodes ')}` : 'kubectl get nodes',
    })
  }
  return [...new Set(names)]
}
