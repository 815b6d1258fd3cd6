import { arr, type Json, rec, str } from '../cluster/items.ts'
import type { Way } from '../system/way.ts'
import { type Container, runByExec } from './exec.ts'
import type { OpenContext } from './kubeconfig.ts'
import { listAll, PODS } from './list-objects.ts'
import type { Get } from './requests.ts'

/** A pod on a node's own network that carries tools to read it. */
export interface AgentPod {
  /** also the name of its container */
  readonly app: App
  readonly node: string
  readonly namespace: string
  readonly pod: string
}

/** In this order: calico-node's image has `ip` and `conntrack`, kube-proxy's has not. */
const APPS = ['calico-node', 'kube-proxy'] as const
type App = (typeof APPS)[number]

const SELECTOR = `k8s-app in (${APPS.join(',')})`
/** where they usually are, for those who may not list pods everywhere */
const NAMESPACES = ['kube-system', 'calico-system']

/** The agents' pods of a cluster, the best of each node; undefined if pods may not be listed. Throws NetctlError KUB003 to KUB007. */
export async function agentPods(get: Get): Promise<ReadonlyMap<string, AgentPod> | undefined> {
  const everywhere = await listAll(get, PODS, { labelSelector: SELECTOR })
  const lists = everywhere
    ? [everywhere]
    : await Promise.all(NAMESPACES.map((namespace) => listAll(get, PODS, { namespace, labelSelector: SELECTOR })))
  if (lists.every((list) => list === undefined)) return undefined
  const best = new Map<string, AgentPod>()
  for (const pod of lists.flatMap((list) => list ?? [])) {
    const agent = agentOf(pod)
    if (!agent) continue
    const known = best.get(agent.node)
    if (!known || APPS.indexOf(agent.app) < APPS.indexOf(known.app)) best.set(agent.node, agent)
  }
  return best
}

/** Only what runs, and on the node's network: a label is what anybody may put on a pod of their own, and another network is not the node's. */
function agentOf(pod: Json): AgentPod | undefined {
  const { name, namespace, labels, deletionTimestamp } = rec(pod.metadata)
  const { nodeName, hostNetwork } = rec(pod.spec)
  const app = APPS.find((one) => one === rec(labels)['k8s-app'])
  const runs = arr(rec(pod.status).containerStatuses)
    .map(rec)
    .some((one) => one.name === app && rec(one.state).running !== undefined)
  if (!app || !runs || hostNetwork !== true || deletionTimestamp !== undefined) return undefined
  const [node, at, own] = [str(nodeName), str(namespace), str(name)]
  return node && at && own ? { app, node, namespace: at, pod: own } : undefined
}

/** Into the agents' pods by exec: nothing is made and nothing is left. They see the node, and not its pods: they are not in its process namespace. */
export function execWay(open: OpenContext, agents: ReadonlyMap<string, AgentPod>): Way {
  const kinds = new Set([...agents.values()].map(({ app, namespace }) => `the ${app} pods of ${namespace}`))
  const where = [...kinds].sort().join(' and ')
  return {
    kind: 'exec',
    said: `exec into ${where}`,
    unseen: [`pods: not read: their network namespaces can't be seen from ${where}; --via pod sees them`],
    async to(node) {
      const agent = agents.get(node)
      if (!agent) return { missing: `no pod of ${APPS.join(' or ')} runs there` }
      return runByExec(open, inAgent(agent))
    },
    async leave() {},
    async close() {
      return []
    },
  }
}

const inAgent = ({ namespace, pod, app }: AgentPod): Container => ({
  namespace,
  pod,
  container: app,
  command: (args) => ['sh', '-s', '--', ...args],
})
