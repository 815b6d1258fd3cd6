/** Calico on a node: what is on its disk before the first boot, as the manifest of a VXLAN cluster (Calico's calico-vxlan.yaml) would bring it. */
import { podRange } from './network.ts'
import type { Felix } from './types.ts'

type Kubectl = (args: readonly string[], input?: string) => Promise<string>

/** Makes the cluster's custom resources, and the settings of all Felixes where calico-node's start leaves those that are there. Pods may ask their nodes, as in the manifest. */
export async function createCalicoResources(kubectl: Kubectl, definitions: string, felix: Felix): Promise<void> {
  await kubectl(['create', '--validate=false', '-f', definitions])
  await kubectl(['wait', 'crd', '--all', '--for=condition=Established', '--timeout=120s'])
  const spec = { nftablesMode: felix === 'nftables' ? 'Enabled' : 'Disabled', defaultEndpointToHostAction: 'Accept' }
  const settings = { apiVersion: 'crd.projectcalico.org/v1', kind: 'FelixConfiguration', metadata: { name: 'default' }, spec }
  await kubectl(['create', '-f', '-'], JSON.stringify(settings))
}

/** path on the node → content */
export function calicoFiles(name: string, families: number, kubeconfig: string): Readonly<Record<string, string>> {
  const lines = Object.entries(environment(name, families)).map(([key, value]) => `${key}=${value}\n`)
  return {
    'etc/calico/environment': lines.join(''),
    'etc/calico/felix.cfg': '[global]\nMetadataAddr = None\nLogFilePath = None\nLogSeverityFile = None\nLogSeveritySys = None\n',
    'etc/calico/kubeconfig': kubeconfig,
    'etc/calico/calicoctl.cfg': JSON.stringify({
      apiVersion: 'projectcalico.org/v3',
      kind: 'CalicoAPIConfig',
      spec: { datastoreType: 'kubernetes', kubeconfig: '/etc/calico/kubeconfig' },
    }),
    'etc/cni/net.d/10-calico.conflist': JSON.stringify(network(name, families), null, 2),
  }
}

/** Of calico-node's container. No token of a pod's is there to renew the CNI plugin's (CALICO_MANAGE_CNI), and Felix is built without libbpf: it must neither attach programs nor look for old ones. */
const environment = (name: string, families: number): Readonly<Record<string, string>> => ({
  DATASTORE_TYPE: 'kubernetes',
  KUBECONFIG: '/etc/calico/kubeconfig',
  WAIT_FOR_DATASTORE: 'true',
  NODENAME: name,
  CALICO_NETWORKING_BACKEND: 'vxlan',
  CALICO_MANAGE_CNI: 'false',
  CALICO_DISABLE_FILE_LOGGING: 'true',
  CLUSTER_TYPE: 'k8s',
  IP: 'autodetect',
  CALICO_IPV4POOL_CIDR: podRange[0],
  CALICO_IPV4POOL_IPIP: 'Never',
  CALICO_IPV4POOL_VXLAN: 'Always',
  ...(families === 2
    ? {
        IP6: 'autodetect',
        CALICO_IPV6POOL_CIDR: podRange[1],
        CALICO_IPV6POOL_VXLAN: 'Always',
        CALICO_IPV6POOL_NAT_OUTGOING: 'true',
      }
    : { IP6: 'none', CALICO_IPV6POOL_CIDR: 'none' }),
  FELIX_DATASTORETYPE: 'kubernetes',
  FELIX_FELIXHOSTNAME: name,
  FELIX_IPV6SUPPORT: String(families === 2),
  FELIX_HEALTHENABLED: 'true',
  FELIX_XDPENABLED: 'false',
  FELIX_DebugSkipCTLBCleanup: 'true',
})

const network = (name: string, families: number) => ({
  cniVersion: '1.0.0',
  name: 'k8s-pod-network',
  plugins: [
    {
      type: 'calico',
      log_level: 'info',
      log_file_path: '/var/log/calico/cni/cni.log',
      datastore_type: 'kubernetes',
      nodename: name,
      mtu: 0,
      ipam: { type: 'calico-ipam', ...(families === 2 && { assign_ipv4: 'true', assign_ipv6: 'true' }) },
      policy: { type: 'k8s' },
      kubernetes: { kubeconfig: '/etc/calico/kubeconfig' },
    },
    { type: 'portmap', snat: true, capabilities: { portMappings: true } },
  ],
})
