/** The pods of a random cluster, brought into being. */
import type { Cluster } from '../cluster.ts'
import { sendersOf, unlimited } from '../open-shop.ts'
import { run } from '../run.ts'
import { namespace } from '../shop.ts'
import type { Pod } from '../shop-flows.ts'
import { slowness } from '../slowness.ts'
import { type DrawnPod, zoneOf } from './pods.ts'

const patience = `--timeout=${120 * slowness}s`

/** Zones, pods, and those that are to leave on their way out. */
export async function populate(cluster: Cluster, pods: readonly DrawnPod[]): Promise<void> {
  for (const [i, node] of cluster.nodes.entries())
    await cluster.kubectl(['label', 'node', node, `topology.kubernetes.io/zone=${zoneOf(i)}`])
  const items = [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, ...pods.map(({ object }) => object)]
  await cluster.kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  const wait = (state: 'Ready' | 'Initialized', names: readonly string[]) =>
    cluster.kubectl(['-n', namespace, 'wait', 'pod', ...names, `--for=condition=${state}`, patience])
  await wait(
    'Ready',
    pods.filter(({ state }) => state === 'ready' || state === 'leaving').map(({ name }) => name),
  )
  const others = pods.filter(({ state }) => state === 'unready' || state === 'gone').map(({ name }) => name)
  if (others.length > 0)
    await cluster.kubectl(['-n', namespace, 'wait', 'pod', ...others, '--for=jsonpath={.status.phase}=Running', patience])
  const leaving = pods.filter(({ state }) => state === 'leaving' || state === 'gone').map(({ name }) => name)
  if (leaving.length > 0) await cluster.kubectl(['-n', namespace, 'delete', 'pod', ...leaving, '--wait=false'])
}

/** Makes these the pods of the state, instead of those of the one before; addresses of each. */
export async function replaceGuests(cluster: Cluster, guests: readonly DrawnPod[]): Promise<readonly (readonly string[])[]> {
  const inShop = (...words: readonly string[]) => cluster.kubectl(['-n', namespace, ...words])
  await inShop('delete', 'pods', '-l', 'app=guest', '--wait=true')
  if (guests.length === 0) return []
  await cluster.kubectl(
    ['create', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: guests.map(({ object }) => object) }),
  )
  await inShop('wait', 'pod', ...guests.map(({ name }) => name), '--for=condition=Ready', patience)
  return await podIps(cluster, ['-l', 'app=guest'])
}

/** Addresses of pods, one list for each. */
export async function podIps(cluster: Cluster, which: readonly string[] = []): Promise<readonly (readonly string[])[]> {
  const { items } = JSON.parse(await cluster.kubectl(['-n', namespace, 'get', 'pods', ...which, '-o', 'json'])) as {
    readonly items: readonly Pod[]
  }
  return items.map(({ status }) => (status.podIPs ?? []).map(({ ip }) => ip))
}

/** Takes away what would make answers depend on what was asked before. */
export async function settlePods(cluster: Cluster, pods: readonly DrawnPod[]): Promise<void> {
  const namespaceOf = await sendersOf(cluster)
  for (const { name, hostNetwork } of pods) {
    const path = namespaceOf({ kind: 'pod', name: `${namespace}/${name}` })
    if (!hostNetwork) await run(['nsenter', `--net=${path}`, 'sh', '-ec', `${unlimited}\n${forgetful}`])
  }
}

/** What a host has learned of the size of a way is over in a second. */
export const forgetful = 'for f in 4 6; do echo 1 >/proc/sys/net/ipv$f/route/mtu_expires; done'
