/**
 * A real Kubernetes cluster on this machine, for as long as this process lives: its own apiserver, controller manager, scheduler, etcd; nodes with
 * containerd, kubelet and kube-proxy. Needs root. Nothing of it is in the host's own namespaces but a listening port on loopback.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { lackingHere } from './able.ts'
import { built } from './build.ts'
import { createCalicoResources } from './calico.ts'
import { startControlPlane } from './control-plane.ts'
import { makeMachine } from './machine.ts'
import { externalAddress, loadBalancerRange, nodeAddress, podRange, podRangeOf, serviceRange } from './network.ts'
import { type ClusterNode, makeNode } from './node.ts'
import { run } from './run.ts'
import { slowness } from './slowness.ts'
import type { ClusterOptions, Cni, ProxyMode } from './types.ts'

export interface Cluster {
  /** file: the administrator's, for this host */
  readonly kubeconfig: string
  /** node1, node2, … */
  readonly nodes: readonly string[]
  /** kubectl as the administrator; what it printed */
  kubectl(args: readonly string[], input?: string): Promise<string>
  /** runs a command on a node, as root; what it printed */
  exec(node: string, command: readonly string[], input?: string): Promise<string>
  /** runs a command on a host that is no node, beside them on the same wire */
  external(command: readonly string[], input?: string): Promise<string>
  /** words before a command, to start it on a node oneself */
  inside(node: string): readonly string[]
  /** path of a node's network namespace, or of the external host's, as this host sees it */
  namespace(host: string): string
  /** pulls a node's plug; its disk stays */
  crash(node: string): Promise<void>
  /** resolves when the node's programs run */
  boot(node: string): Promise<void>
  /** a node's cable, at the switch */
  link(node: string, state: 'up' | 'down'): Promise<void>
  /** what has come to a node's disk since before its first boot: `+ etc/new`, `~ etc/changed`, `- etc/gone`; logs are left out */
  diff(node: string): Promise<readonly string[]>
  /** on all nodes; what the mode before has made is taken away */
  setProxyMode(mode: ProxyMode): Promise<void>
  /** resolves when these nodes, or all, tell that they are Ready; or, with `false`, are known not to be */
  waitReady(ready?: boolean, nodes?: readonly string[]): Promise<void>
  down(): Promise<void>
}

/** Starts a cluster of that many nodes, 80 at most (network.ts); with a CNI, they are Ready. */
export async function up(
  count: number,
  { dual = false, proxyMode = 'iptables', cni = 'ptp', felix = 'iptables', shared }: ClusterOptions = {},
): Promise<Cluster> {
  if (!(count >= 1 && count <= 80)) throw new RangeError(`a cluster has 1 to 80 nodes, not ${count}`)
  const lack = lackingHere()
  if (lack !== undefined) throw new Error(`no cluster here: it needs ${lack}`)
  refuseUnable(proxyMode)
  const parts = await built({ calico: cni === 'calico' })
  const machine = await makeMachine()
  try {
    const control = await startControlPlane(machine, parts, { dual })
    const kubectl = (args: readonly string[], input?: string) =>
      run([`${parts.bin}/kubectl`, '--kubeconfig', control.kubeconfig, ...args], input)
    const names = Array.from({ length: count }, (_, i) => `node${i + 1}`)
    const ca = await readFile(control.ca, 'utf8')
    const proxyConfig = await control.kubeconfigFor('system:kube-proxy')
    await kubectl(
      ['create', '--validate=false', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: names.map((name, i) => nodeObject(name, i, dual)) }),
    )
    if (cni === 'calico') await createCalicoResources(kubectl, `${parts.bin}/crds.yaml`, felix)
    const calicoConfig = await control.kubeconfigFor('calico-node', ['system:masters'])
    const nodes = new Map<string, ClusterNode>()
    for (const [index, name] of names.entries()) {
      const kubeletConfig = await control.kubeconfigFor(`system:node:${name}`, ['system:nodes'])
      const settings = { index, name, count, dual, proxyMode, cni, pause: parts.pause, ca, kubeletConfig, proxyConfig, calicoConfig }
      nodes.set(name, await makeNode(machine, parts, settings, shared))
    }
    const node = (name: string): ClusterNode => {
      const found = nodes.get(name)
      if (!found) throw new Error(`no node is called ${name}`)
      return found
    }
    const cluster: Cluster = {
      kubeconfig: control.kubeconfig,
      nodes: names,
      kubectl,
      exec: (name, command, input) => run([...node(name).inside(), ...command], input),
      external: (command, input) => run([...machine.inside, 'ip', 'netns', 'exec', 'external', ...command], input),
      inside: (name) => node(name).inside(),
      namespace: (host) => (host === 'external' ? `/proc/${machine.pid}/root/run/netns/external` : `/proc/${node(host).pid()}/ns/net`),
      crash: (name) => node(name).crash(),
      boot: (name) => node(name).boot(),
      link: async (name, state) => void (await run([...machine.inside, 'ip', 'link', 'set', node(name).name, state])),
      diff: (name) => node(name).diff(),
      setProxyMode: async (mode) => {
        refuseUnable(mode)
        await Promise.all(names.map((name) => run([...node(name).inside(), 'sh', '/run/node-proxy.sh', mode])))
      },
      waitReady: (ready = true, which = names) => waitReady(kubectl, which.map(node), ready),
      down: () => machine.end(),
    }
    await Promise.all([run([...machine.inside, 'sh', '-e'], outside(names, dual, cni)), ...names.map(cluster.boot)])
    if (cni !== 'none') await cluster.waitReady()
    return cluster
  } catch (error) {
    await machine.end()
    throw error
  }
}

/** Loading modules is left to whose machine it is. */
function refuseUnable(mode: ProxyMode): void {
  if (mode === 'ipvs' && !existsSync('/proc/net/ip_vs')) throw new Error('kube-proxy by ipvs needs a kernel with IPVS: modprobe ip_vs')
}

const patienceMs = 240_000 * slowness

async function waitReady(kubectl: Cluster['kubectl'], nodes: readonly ClusterNode[], ready: boolean): Promise<void> {
  const status = 'jsonpath={range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}'
  for (const deadline = Date.now() + patienceMs; ; await sleep(250)) {
    const said = (await kubectl(['get', 'nodes', '-o', status])).split('\n')
    const late = nodes.filter(({ name }) => !(ready ? ['True'] : ['False', 'Unknown']).some((value) => said.includes(`${name}=${value}`)))
    if (late.length === 0) return
    if (Date.now() > deadline) {
      const reasons = await Promise.all(late.map((node) => node.said()))
      throw new Error(
        `not ${ready ? '' : 'un'}ready after ${patienceMs / 1000} s: ${late.map((n) => n.name).join()}\n${reasons.join('\n')}`,
      )
    }
  }
}

/** Made before its kubelet registers it, which takes it over: so its pods' range is known from the start. */
function nodeObject(name: string, index: number, dual: boolean) {
  const podCIDRs = podRangeOf(index).slice(0, dual ? 2 : 1)
  return { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: { podCIDR: podCIDRs[0], podCIDRs } }
}

/** A host on the nodes' wire that knows the way to pods (by their node; with Calico, whose nodes have no fixed ranges, by the first) and to services (by the first node); and the same ways for the control plane. */
function outside(names: readonly string[], dual: boolean, cni: Cni): string {
  const families = (dual ? [0, 1] : [0]) as readonly (0 | 1)[]
  const routes = families.flatMap((f) => [
    ...(cni === 'calico'
      ? [`${podRange[f]} via ${nodeAddress(0)[f]}`]
      : names.map((_, i) => `${podRangeOf(i)[f]} via ${nodeAddress(i)[f]}`)),
    ...[serviceRange[f], loadBalancerRange[f]].map((range) => `${range} via ${nodeAddress(0)[f]}`),
  ])
  return [
    'ip netns add external',
    'ip link add external type veth peer name eth0 netns external',
    'ip link set external master br0 up',
    ...routes.map((route) => `ip route add ${route}`),
    'ip netns exec external sh -e <<"END"',
    'ip link set lo up',
    'echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad',
    'ip link set eth0 up',
    ...families.map((f) => `ip address add ${externalAddress[f]}/${f === 0 ? 24 : 64} dev eth0`),
    ...routes.map((route) => `ip route add ${route}`),
    'END',
  ].join('\n')
}
