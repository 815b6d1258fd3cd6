/** Dumps a lab with the commands of the snapshot layout, into files held in memory. */
import { addresses, type HostName, type Lab, pods, tcpPorts, udpPorts } from './netns-lab.ts'

/** file name → command; the same for nodes, pods and outside hosts, so that pods with rules of their own are walked too */
const commands: Readonly<Record<string, string>> = {
  'ip-addr.json': 'ip -j addr',
  'ip-link.json': 'ip -d -j link',
  'ip-route.json': 'ip -j route show table all',
  'ip6-route.json': 'ip -6 -j route show table all',
  'ip-rule.json': 'ip -j rule',
  'ip6-rule.json': 'ip -6 -j rule',
  'ip-neigh.json': 'ip -j neigh',
  'bridge-fdb.json': 'bridge -j fdb show',
  'sysctl.txt':
    'sysctl net.ipv4.conf net.ipv6.conf net.ipv4.ip_forward net.ipv4.ip_local_port_range net.ipv4.fib_multipath_hash_policy net.bridge 2>/dev/null',
  'iptables-nft-save.txt': 'iptables-nft-save -c',
  'ip6tables-nft-save.txt': 'ip6tables-nft-save -c',
  'iptables-legacy-save.txt': 'iptables-legacy-save -c',
  'ip6tables-legacy-save.txt': 'ip6tables-legacy-save -c',
  'ipset-save.txt': 'ipset save',
  'nft.txt': 'nft list ruleset',
  'nft.json': 'nft -j list ruleset',
}

/** `family`: leave the rules of the other one out. */
export async function dumpHost(lab: Lab, host: HostName, family?: 4 | 6): Promise<Readonly<Record<string, string>>> {
  const out = await lab.sh(
    host,
    Object.entries(commands)
      .filter(([file]) => !file.startsWith(family === 4 ? 'ip6tables' : family === 6 ? 'iptables' : '-'))
      .map(([file, command]) => `echo '=== ${file}'; ${command} || true`)
      .join('\n'),
  )
  const files: Record<string, string> = {}
  for (const part of out.split(/^=== /m).slice(1)) {
    const newline = part.indexOf('\n')
    files[part.slice(0, newline)] = part.slice(newline + 1)
  }
  // as the recordings name them: the backend in use, which is legacy only where nft holds nothing; the other one where it is not empty
  const text = (file: string) => files[`${file}-save.txt`] ?? ''
  const inUse =
    text('iptables-nft') + text('ip6tables-nft') === '' && text('iptables-legacy') + text('ip6tables-legacy') !== '' ? 'legacy' : 'nft'
  for (const tool of family === undefined ? ['iptables', 'ip6tables'] : [family === 4 ? 'iptables' : 'ip6tables']) {
    for (const backend of ['nft', 'legacy']) {
      const name = backend === inUse ? tool : `${tool}-${backend}`
      const saved = text(`${tool}-${backend}`)
      delete files[`${tool}-${backend}-save.txt`]
      if (saved !== '' || (backend === inUse && backend === 'nft')) files[`${name}-save.txt`] = saved
    }
  }
  files['versions.txt'] = `iptables backend in use: ${inUse}\n`
  return files
}

export const folderOf = (host: HostName): string => (host in pods ? `pods/t_${host}` : host === 'ext' ? 'external/ext' : `nodes/${host}`)

const list = (kind: string, items: readonly unknown[]) => JSON.stringify({ apiVersion: 'v1', kind: `${kind}List`, items }, undefined, 1)

const listening = [
  ...tcpPorts.map((containerPort) => ({ containerPort, protocol: 'TCP' })),
  ...udpPorts.map((containerPort) => ({ containerPort, protocol: 'UDP' })),
]

/** The cluster objects that tie the folders together: which pod is on which node. */
export const objects: Readonly<Record<string, string>> = {
  'snapshot.json': JSON.stringify({ apiVersion: 'netctl.dev/v1alpha1', kind: 'Snapshot', schemaVersion: 1, missing: [], assume: {} }),
  'cluster/pods.json': list(
    'Pod',
    Object.entries(pods).map(([name, nodeName]) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 't', name },
      spec: { nodeName, containers: [{ name: 'c', ports: listening }] },
      status: { phase: 'Running', podIP: addresses[name]?.[0], podIPs: addresses[name]?.map((ip) => ({ ip })) },
    })),
  ),
  'cluster/nodes.json': list(
    'Node',
    ['n1', 'n2'].map((name) => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name },
      spec: {},
      status: { addresses: addresses[name]?.map((address) => ({ type: 'InternalIP', address })) },
    })),
  ),
}
