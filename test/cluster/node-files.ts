/** What is on a node's disk before its first boot: settings of the runtime, kubelet, kube-proxy and the baseline CNI. */
import { stringify } from 'yaml'
import { calicoFiles } from './calico.ts'
import { machineAddress, nodeAddress, podRange, podRangeOf } from './network.ts'
import type { Cni } from './types.ts'

export interface NodeSettings {
  readonly index: number
  readonly name: string
  /** how many nodes there are: who one has routes to */
  readonly count: number
  readonly dual: boolean
  readonly proxyMode: string
  readonly cni: Cni
  readonly pause: string
  readonly ca: string
  readonly kubeletConfig: string
  readonly proxyConfig: string
  readonly calicoConfig: string
}

/** path on the node → content */
export function nodeFiles(node: NodeSettings): Readonly<Record<string, string>> {
  const { index, name, count, dual } = node
  const families = dual ? 2 : 1
  return {
    'etc/hostname': `${name}\n`,
    'etc/hosts': hosts(count, families),
    'etc/resolv.conf': '',
    'etc/machine-id': `${String(index + 1).padStart(32, '0')}\n`,
    'etc/node/addresses': nodeAddress(index).slice(0, families).join(),
    'etc/node/proxy-mode': node.proxyMode,
    'etc/node/network.sh': networkScript(node),
    'etc/containerd/config.toml': containerdConfig(node.pause),
    'etc/kubernetes/ca.crt': node.ca,
    'etc/kubernetes/kubelet.conf': node.kubeletConfig,
    'etc/kubernetes/kubelet.yaml': stringify(kubelet),
    'etc/kubernetes/kube-proxy.conf': node.proxyConfig,
    'etc/kubernetes/kube-proxy.yaml': stringify(kubeProxy(name, families)),
    ...podNetwork(node, families),
  }
}

function podNetwork({ cni, index, name, calicoConfig }: NodeSettings, families: number): Readonly<Record<string, string>> {
  if (cni === 'none') return {}
  if (cni === 'calico') return calicoFiles(name, families, calicoConfig)
  return { 'etc/cni/net.d/10-pods.conflist': JSON.stringify(network(cni, index, families), null, 2) }
}

function hosts(count: number, families: number): string {
  const nodes = Array.from({ length: count }, (_, i) =>
    nodeAddress(i)
      .slice(0, families)
      .map((address) => `${address} node${i + 1}`),
  )
  return ['127.0.0.1 localhost', '::1 localhost', ...nodes.flat(), ''].join('\n')
}

/** Addresses, a way out (to nowhere: but what has no route never comes to where services are translated), and with the baseline CNI ways to the other nodes' pods. */
function networkScript({ index, count, dual, cni }: NodeSettings): string {
  const families = (dual ? [0, 1] : [0]) as readonly (0 | 1)[]
  const others = !(cni in wires) ? [] : Array.from({ length: count }, (_, i) => i).filter((i) => i !== index)
  return [
    'ip link set lo up',
    'echo 1 >/proc/sys/net/ipv4/ip_forward',
    'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding',
    'echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad',
    'ip link set eth0 up',
    ...families.flatMap((f) => [
      `ip address add ${nodeAddress(index)[f]}/${prefixLength[f]} dev eth0`,
      `ip route add default via ${machineAddress[f]}`,
      ...others.map((i) => `ip route add ${podRangeOf(i)[f]} via ${nodeAddress(i)[f]}`),
    ]),
    '',
  ].join('\n')
}

const prefixLength = [24, 64] as const

/** Version 1.6's settings. Its optional programs' folder is not wanted on the disk. When memory is short no part of a cluster is to be spared before this machine's own programs, which without CAP_SYS_RESOURCE could not be: so `restrict_oom_score_adj` for pause's -998, and kubelet's and kube-proxy's `oomScoreAdj`. */
const containerdConfig = (pause: string) => `version = 2
disabled_plugins = ["io.containerd.internal.v1.opt"]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pause}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`

/** Tells of itself so often that its absence is seen within seconds (the controller manager's node-monitor-grace-period), and never evicts for a full disk. */
const kubelet = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: '/etc/kubernetes/ca.crt' } },
  authorization: { mode: 'Webhook' },
  containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
  cgroupDriver: 'cgroupfs',
  failCgroupV1: false,
  failSwapOn: false,
  oomScoreAdj: 0,
  clusterDNS: ['10.96.0.10'],
  clusterDomain: 'cluster.local',
  evictionHard: { 'memory.available': '0%', 'nodefs.available': '0%', 'nodefs.inodesFree': '0%', 'imagefs.available': '0%' },
  imageGCHighThresholdPercent: 100,
  nodeLeaseDurationSeconds: 8,
  nodeStatusUpdateFrequency: '2s',
  volumePluginDir: '/var/lib/kubelet/volume-plugins',
}

/** What it would set of conntrack is the whole machine's. */
const kubeProxy = (name: string, families: number) => ({
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  mode: 'iptables',
  clientConnection: { kubeconfig: '/etc/kubernetes/kube-proxy.conf' },
  hostnameOverride: name,
  oomScoreAdj: 0,
  clusterCIDR: podRange.slice(0, families).join(),
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
})

/** A bridge as flannel has it made: pods' gateway, with ports that let a pod reach itself by a service. */
const wires = {
  ptp: { type: 'ptp' },
  bridge: { type: 'bridge', bridge: 'cni0', isGateway: true, hairpinMode: true },
} as const

const network = (cni: keyof typeof wires, index: number, families: number) => ({
  cniVersion: '1.0.0',
  name: cni,
  plugins: [
    {
      ...wires[cni],
      ipMasq: false,
      ipam: {
        type: 'host-local',
        // gone with a reboot, as the containers are
        dataDir: '/run/cni-addresses',
        ranges: podRangeOf(index)
          .slice(0, families)
          .map((subnet) => [{ subnet }]),
        routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }].slice(0, families),
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
})
