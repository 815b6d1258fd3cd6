/** Makes a new cluster into that of the scenarios. */
import { readdirSync, readFileSync } from 'node:fs'
import type { Cluster } from './cluster.ts'
import { balancerStatus, manualEndpoints, namespace, readyPods, shopObjects } from './shop.ts'
import type { ShopFlow } from './shop-flows.ts'
import type { ProxyMode } from './types.ts'

/** Creates everything, and waits until it runs. */
export async function openShop(cluster: Cluster, families: number): Promise<void> {
  const inShop = (...words: readonly string[]) => cluster.kubectl(['-n', namespace, ...words])
  await create(cluster, shopObjects(families))
  for (const [name, status] of balancerStatus(families))
    await inShop('patch', 'service', name, '--subresource=status', '--type=merge', '-p', JSON.stringify(status))
  await inShop('wait', 'pod', ...readyPods, '--for=condition=Ready', '--timeout=240s')
  const addresses = JSON.parse(await inShop('get', 'pod', 'db-1', '-o', 'jsonpath={.status.podIPs}')) as readonly { readonly ip: string }[]
  await create(cluster, manualEndpoints(addresses.map(({ ip }) => ip)))
  await settle(cluster)
}

/** Takes away what would make answers depend on what was asked before. */
export async function settle(cluster: Cluster): Promise<void> {
  await Promise.all([
    ...cluster.nodes.map((node) => cluster.exec(node, ['sh', '-ec', unlimited])),
    cluster.external(['sh', '-ec', unredirected]),
  ])
}

const create = (cluster: Cluster, items: readonly object[]): Promise<string> =>
  cluster.kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))

/** How many ICMP errors a host sends a second is no part of an answer: no type of them is limited (ip-sysctl). The settings are the network namespace's own. */
export const unlimited = 'cd /proc/sys/net; echo 0 >ipv4/icmp_ratemask; echo >ipv6/icmp/ratemask'

/** Nodes tell an outside client of shorter ways (ICMP redirects), which it would remember: its routes alone shall count, they are what a walk goes by. */
const unredirected =
  'cd /proc/sys/net; for c in all eth0; do echo 0 | tee ipv4/conf/$c/accept_redirects ipv6/conf/$c/accept_redirects; done'

/** kube-proxy programs everything of a family that it knows of at once: where a service that was made last is, all else is. */
export async function programmed(cluster: Cluster, mode: Exclude<ProxyMode, 'none'>): Promise<void> {
  const name = `last-${mode}`
  const last = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name },
    spec: { ports: [{ port: 1 }], ipFamilyPolicy: 'PreferDualStack' },
  }
  const made = JSON.parse(await cluster.kubectl(['create', '-o', 'json', '-f', '-'], JSON.stringify(last))) as {
    readonly spec: { readonly ipFamilies: readonly string[] }
  }
  const looks = made.spec.ipFamilies.map((family) => {
    const six = family === 'IPv6' ? '6' : ''
    const list = mode === 'nftables' ? `nft list table ip${six} kube-proxy` : `ip${six}tables-save`
    // of the ranges of cluster addresses its nftables proxier hears by another watch
    const wanted = [`${namespace}/${name}`, ...(mode === 'nftables' ? ['unallocated ClusterIPs'] : [])]
    return wanted.map((what) => `until ${list} 2>/dev/null | grep -q '${what}'; do sleep 0.2; done`).join('; ')
  })
  await Promise.all(cluster.nodes.map((node) => cluster.exec(node, ['timeout', '240', 'sh', '-c', looks.join('; ')])))
}

/** Where packets are sent from: paths to network namespaces. */
export async function sendersOf(cluster: Cluster): Promise<(from: ShopFlow['from']) => string> {
  const line = '{range .items[*]}{.metadata.namespace}/{.metadata.name} {.metadata.uid}{"\\n"}{end}'
  const listed = await cluster.kubectl(['get', 'pods', '-A', '-o', `jsonpath=${line}`])
  const processes = podProcesses()
  const paths = new Map(
    listed
      .trim()
      .split('\n')
      .map((text) => text.split(' '))
      .map(([name, uid = '']) => [name, `/proc/${processes.get(uid)}/ns/net`]),
  )
  return ({ kind, name }) => (kind === 'pod' ? (paths.get(name) ?? `no pod ${name}`) : cluster.namespace(name))
}

/** A process of each pod, by the pod's uid, which the kubelet puts into the names of control groups. */
function podProcesses(): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [, uid] = /\/pod([0-9a-f-]{36})\//.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? []
      if (uid !== undefined) found.set(uid, Number(pid))
    } catch {
      // it has ended
    }
  }
  return found
}
