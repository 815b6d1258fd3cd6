import { arr, type Json, rec, str } from '../../cluster/items.ts'
import { OBJECT_NAME } from '../../cluster/object-name.ts'
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
  const found = listed ? readable(wanted(asked.nodes, listed)) : { names: asked.nodes, missing: [] }
  const { names } = found
  if (names === undefined)
    return { names: [], way: undefined, missing: ['nodes: not read: the right lacks to list nodes; --nodes can name them'] }
  if (names.length === 0) return { names, way: undefined, missing: found.missing }
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
  if ('missing' in way) return { names: [], way: undefined, missing: [`nodes: not read: ${way.missing}`, ...found.missing] }
  talk.say(`nodes are read by ${way.said}`)
  return { names, way, missing: [...way.unseen, ...found.missing] }
}

/** Names of the nodes that can be read; those that are not Ready last, as each may hold a place of few for its whole time. */
export function readable(nodes: readonly Json[]): { readonly names: readonly string[]; readonly missing: readonly string[] } {
  const missing: string[] = []
  const ranks = new Map<string, number>()
  for (const node of nodes) {
    const { name, labels } = rec(node.metadata)
    // it becomes the name of a folder
    if (typeof name !== 'string' || !OBJECT_NAME.test(name))
      missing.push(`nodes: one is left out, as ${JSON.stringify(name)} can't be the name of a node`)
    else if (rec(labels)['kubernetes.io/os'] === 'windows') missing.push(`nodes/${name}: not read: its system is Windows`)
    else ranks.set(name, isReady(node) ? 0 : 1)
  }
  const names = [...ranks].sort(([, x], [, y]) => x - y).map(([name]) => name)
  return { names, missing }
}

/** A node that says nothing of it may well be. */
const isReady = ({ status }: Json): boolean =>
  !arr(rec(status).conditions).some((one) => rec(one).type === 'Ready' && rec(one).status !== 'True')

/** All, if no names are given. */
function wanted(names: readonly string[] | undefined, nodes: readonly Json[]): readonly Json[] {
  if (names === undefined) return nodes
  const there = nodes.flatMap(({ metadata }) => str(rec(metadata).name) ?? [])
  for (const name of names) {
    if (there.includes(name)) continue
    const near = nearest(name, there)
    throw new NetctlError({
      code: 'USE005',
      message: `--nodes ${name}: the cluster has no node of this name`,
      try: near.length > 0 ? `--nodes ${near.join(', or --nodes ')}` : 'kubectl get nodes',
    })
  }
  return nodes.filter(({ metadata }) => names.includes(str(rec(metadata).name) ?? ''))
}
