/** One state of a random cluster: made, read, asked about, and its packets sent. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse, stringify } from 'yaml'
import { netctl } from '../../support/netctl.ts'
import type { Cluster } from '../cluster.ts'
import { type Json, namespace } from '../shop.ts'
import type { Service } from '../shop-flows.ts'
import { slowness } from '../slowness.ts'
import type { ProxySettings } from './proxy-settings.ts'
import type { DrawnServices } from './services.ts'

const settingsFile = '/etc/kubernetes/kube-proxy.yaml'

/** What a cluster's kube-proxies begin with, which random settings are laid over. */
export const ownSettings = async (cluster: Cluster): Promise<ReadonlyMap<string, string>> =>
  new Map(await Promise.all(cluster.nodes.map(async (node) => [node, await cluster.exec(node, ['cat', settingsFile])] as const)))

/** Makes these the services of the cluster, instead of those before; resolves when their EndpointSlices have come to rest. */
export async function replaceServices(cluster: Cluster, drawn: DrawnServices): Promise<void> {
  const inShop = (...words: readonly string[]) => cluster.kubectl(['-n', namespace, ...words])
  await inShop('delete', 'services,endpointslices', '--all', '--wait=true')
  await cluster.kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: drawn.objects }))
  for (const [name, status] of drawn.statuses)
    await inShop('patch', 'service', name, '--subresource=status', '--type=merge', '-p', JSON.stringify(status))
  await settled(cluster)
}

/** Resolves when EndpointSlices have come to rest. */
export const settled = (cluster: Cluster): Promise<void> =>
  quiet(() => cluster.kubectl(['-n', namespace, 'get', 'endpointslices', '-o', 'jsonpath={.items[*].metadata.resourceVersion}']))

/** Resolves when what is asked has been the same for a while. */
export async function quiet(ask: () => Promise<string>): Promise<void> {
  let before = ''
  for (let same = 0; same < 4; ) {
    await sleep(400)
    const now = await ask()
    same = now === before ? same + 1 : 0
    before = now
  }
}

/** Starts every node's kube-proxy anew with its settings; resolves when all is programmed that the API has now, and no connection is known. */
export async function restartProxies(
  cluster: Cluster,
  own: ReadonlyMap<string, string>,
  settings: ReadonlyMap<string, ProxySettings>,
  families: number,
): Promise<void> {
  await programmed(cluster, settings, families, 'first', async (node, config) => {
    const text = stringify({ ...parse(own.get(node) ?? ''), ...config })
    await cluster.exec(node, ['sh', '-ec', `cat >${settingsFile}; echo 0 >/proc/sys/net/ipv4/conf/all/route_localnet`], text)
    await cluster.exec(node, ['sh', '/run/node-proxy.sh', settings.get(node)?.mode ?? 'none'])
  })
  const forget = 'conntrack -F 2>/dev/null; conntrack -F -f ipv6 2>/dev/null || :'
  await Promise.all(cluster.nodes.map((node) => cluster.exec(node, ['sh', '-c', forget])))
}

/** Resolves when these nodes' kube-proxies have programmed all that the API has now: `name` is a Service that is made last. */
export async function programmed(
  cluster: Cluster,
  settings: ReadonlyMap<string, ProxySettings>,
  families: number,
  name: string,
  before: (node: string, config: Json) => Promise<void> = async () => {},
): Promise<void> {
  const marker = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { ports: [{ port: 1 }], selector: { g0: 'marker' }, ipFamilyPolicy: families === 2 ? 'RequireDualStack' : 'SingleStack' },
  }
  const made = JSON.parse(await cluster.kubectl(['create', '-o', 'json', '-f', '-'], JSON.stringify(marker))) as Service
  const addresses = made.spec.clusterIPs ?? []
  await Promise.all(
    [...settings].map(async ([node, { mode, config }]) => {
      await before(node, config)
      const lists = ['', '6']
        .slice(0, families)
        .map((f) => (mode === 'nftables' ? `nft list table ip${f} kube-proxy` : `ip${f}tables-save`))
      const until = (list: string, what: string) => `until ${list} 2>/dev/null | grep -q ${what}; do sleep 0.1; done`
      // by ipvs the names of services are nowhere, and they come one after the other
      const look =
        mode === 'ipvs'
          ? [...addresses.map((ip) => until('ip -o address show dev kube-ipvs0', `'inet6\\? ${ip}/'`)), 'sleep 5'].join('; ')
          : lists.map((list) => until(list, `${namespace}/${name}`)).join('; ')
      try {
        await cluster.exec(node, ['timeout', `${60 * slowness}`, 'sh', '-c', look])
      } catch (error) {
        throw new Error(
          `${node}: kube-proxy has programmed nothing\n${JSON.stringify(config)}\n${await cluster.exec(node, ['tail', '-n', '20', '/var/log/kube-proxy.log'])}`,
          { cause: error },
        )
      }
    }),
  )
}

/** of a cluster that nobody has prepared */
export const byPod = ['--via', 'pod', '--yes', '--pod-image', 'netctl.test/node-tools:1']

/** The snapshot by the kubeconfig alone. */
export async function collect({ kubeconfig }: Cluster, path: string): Promise<void> {
  const ran = await netctl(['collect', '--kubeconfig', kubeconfig, ...byPod, '-O', path])
  if (ran.code !== 0) throw new Error(`netctl collect: ${ran.code}\n${ran.stderr}${ran.stdout}`)
}

const outside: Readonly<Record<string, string>> = {
  'ip-addr.json': 'ip -j addr',
  'ip-link.json': 'ip -d -j link',
  'ip-route.json': 'ip -j route show table all',
  'ip6-route.json': 'ip -6 -j route show table all',
  'ip-rule.json': 'ip -j rule',
  'ip6-rule.json': 'ip -6 -j rule',
  'ip-neigh.json': 'ip -j neigh',
  'sysctl.txt': 'sysctl net.ipv4.conf net.ipv6.conf net.ipv4.ip_forward net.ipv4.ip_local_port_range 2>/dev/null',
  'iptables-save.txt': 'iptables-save -c',
  'ip6tables-save.txt': 'ip6tables-save -c',
  'ipset-save.txt': 'ipset save',
  'nft.txt': 'nft list ruleset',
  'sockets.txt': 'ss -Hlntu',
}

/** Adds the host that is no node to a snapshot. */
export async function readOutside(cluster: Cluster, path: string): Promise<void> {
  const folder = join(path, 'external/external')
  mkdirSync(folder, { recursive: true })
  for (const [file, command] of Object.entries(outside)) {
    const said = await cluster.external(['sh', '-c', command])
    writeFileSync(join(folder, file), said === '' ? '' : `${said}\n`)
  }
}

/** A kind of objects, as the snapshot has them. */
export const listed = <T>(path: string, kind: string): readonly T[] =>
  (JSON.parse(readFileSync(join(path, 'cluster', kind), 'utf8')) as { readonly items: readonly T[] }).items
