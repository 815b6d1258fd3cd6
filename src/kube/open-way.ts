import { arr, rec } from '../cluster/items.ts'
import type { Way } from '../system/way.ts'
import { agentPods, execWay } from './exec-way.ts'
import type { OpenContext } from './kubeconfig.ts'
import { podWay } from './pod-way.ts'
import { type Ask, openRequests } from './requests.ts'
import { canI, lacking, type Right, rightText } from './rights.ts'

/** How nodes are reached through the API. `auto`: a pod with consent, else exec. */
export type Via = 'auto' | 'exec' | 'pod'

export interface WayOptions {
  readonly via: Via
  /** those that are wanted, where that is known: for the plan */
  readonly nodes?: readonly string[]
  /** if not said, `netctl` where it is there (it is what the role to act is bound in), else kube-system */
  readonly podNamespace?: string | undefined
  readonly podImage: string
  /** for each node */
  readonly patienceMs: number
  /** of a pod, from when it is made: what is to be done with a node takes no longer */
  readonly lifetimeMs: number
  /** Is it agreed to make these pods? Shows the plan. Asked once at most, and not with `--via pod`, which is consent. Rejects to end the command. */
  readonly consent: (plan: readonly string[]) => Promise<boolean>
  /** the plan, where nobody is asked */
  readonly tell: (text: string) => void
}

/**
 * The way to nodes that the rights allow. Nothing is made before `to(node)`. `missing`: there is none, and why (no full stop).
 * Throws NetctlError KUB002 to KUB007.
 */
export async function openWay(open: OpenContext, options: WayOptions): Promise<Way | { readonly missing: string }> {
  const { via, tell } = options
  const ask = await openRequests(open)
  const podNamespace = options.podNamespace ?? (await usualNamespace(ask))
  const plan = podPlan(open.name, podNamespace, options)
  const lack = via === 'exec' ? [] : await lacking(ask, podRights(podNamespace))
  if (via !== 'exec' && lack.length === 0) {
    if (via === 'pod') for (const line of plan) tell(line)
    if (via === 'pod' || (await options.consent(plan)))
      return podWay(open, ask, { namespace: podNamespace, image: options.podImage, ...options })
  }
  const byPod =
    via === 'exec' ? [] : [`by pods: ${lack.length === 0 ? 'nobody agreed to make them: add --yes, or --via pod' : lacks(lack)}`]
  if (via === 'pod') return { missing: byPod.join() }
  const exec = await execOrWhy(open, ask)
  if (!('missing' in exec)) return exec
  return { missing: [`by exec: ${exec.missing}`, ...byPod].join('; ') }
}

/** By a list, since who reads the cluster's objects has the right to list. */
async function usualNamespace(ask: Ask): Promise<string> {
  const { body } = await ask('/api/v1/namespaces?fieldSelector=metadata.name%3Dnetctl')
  return arr(rec(body).items).length > 0 ? 'netctl' : 'kube-system'
}

async function execOrWhy(open: OpenContext, ask: Ask): Promise<Way | { readonly missing: string }> {
  const agents = await agentPods(ask)
  if (agents === undefined) return { missing: 'the right lacks to list pods (kubectl auth can-i list pods -A)' }
  if (agents.size === 0) return { missing: 'no pod of calico-node or kube-proxy runs' }
  const namespaces = [...new Set([...agents.values()].map(({ namespace }) => namespace))]
  const lack = await lacking(ask, namespaces.flatMap(execRights))
  return lack.length > 0 ? { missing: lacks(lack) } : execWay(open, agents)
}

/** A websocket begins with a GET, for which servers before 1.35 ask for `get` alone; later ones ask for `create` as well. */
const execRights = (namespace: string): readonly Right[] =>
  (['get', 'create'] as const).map((verb) => ({ verb, resource: 'pods/exec', namespace }))

const podRights = (namespace: string): readonly Right[] => [
  { verb: 'create', group: 'batch', resource: 'jobs', namespace },
  { verb: 'delete', group: 'batch', resource: 'jobs', namespace },
  { verb: 'list', resource: 'pods', namespace },
  ...execRights(namespace),
]

const lacks = (rights: readonly Right[]): string => {
  const [first] = rights
  return `the right lacks to ${rights.map(rightText).join(', ')}${first ? ` (${canI(first)})` : ''}`
}

/** What making pods means, before it is done; lines of less than 80 columns, but for long names. */
function podPlan(context: string, namespace: string, { nodes, podImage, lifetimeMs }: WayOptions): readonly string[] {
  const jobs =
    nodes === undefined
      ? 'a Job for each node that is needed'
      : nodes.length === 1
        ? `1 Job, for node ${nodes[0]}`
        : `${nodes.length} Jobs, one a node`
  return [
    `${context}: ${jobs}, in namespace ${namespace}`,
    `  pods of ${podImage}: privileged, host network and processes, no token`,
    `  deleted when the node is done; by the cluster itself after ${Math.ceil(lifetimeMs / 1000)} s at the latest`,
  ]
}
