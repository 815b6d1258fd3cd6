/** What the parts of the real cluster agree on. */

/** What build.ts makes once and keeps in the cache; nodes see both folders read-only. */
export interface Built {
  /** folder: kubelet, kube-proxy, kube-apiserver, kube-controller-manager, kube-scheduler, kubectl, etcd, containerd, containerd-shim-runc-v2, ctr, runc; calico, calico-ipam, calicoctl and crds.yaml if asked for */
  readonly bin: string
  /** folder of CNI plugins: loopback, ptp, bridge, host-local, portmap */
  readonly cni: string
  /** the pause image's name with tag, as in the archive */
  readonly pause: string
  /** OCI archives that every node imports: the pause image, the pods' image */
  readonly images: readonly string[]
}

/**
 * Where all of a cluster lives: a process of ours in a network, mount and pid namespace of its own. If it ends, by `end()` or because whoever made it
 * died, everything inside ends with it: processes, links, mounts, named network namespaces.
 */
export interface Machine {
  /** `netctl-<pid>-<n>`: names of what is outside (folder, cgroups) */
  readonly name: string
  /** of its first process, as this host counts */
  readonly pid: number
  /** a folder on a real disk, removed with the cluster */
  readonly folder: string
  /** words before a command that is to run inside: `nsenter --target … --`. A process started so dies with the machine. */
  readonly inside: readonly string[]
  /** a port of this host's loopback whose connections come out inside, at `address` and `port` */
  forward(address: string, port: number): Promise<number>
  end(): Promise<void>
}

/** What control-plane.ts starts inside a machine, answering on the machine's own address (network.ts). */
export interface ControlPlane {
  /** file: the administrator's, for this host; its server is a forwarded port on loopback */
  readonly kubeconfig: string
  /** text of a kubeconfig for clients inside, with a certificate for that user and groups: `system:node:node1`, `system:nodes` */
  kubeconfigFor(user: string, groups?: readonly string[], server?: string): Promise<string>
  /** the API server for clients on this host, as `kubeconfigFor` takes it */
  readonly outside: string
  /** PEM file of the cluster's CA: kubelet's clientCAFile */
  readonly ca: string
}

export interface ClusterOptions {
  readonly dual?: boolean
  readonly proxyMode?: ProxyMode
  readonly cni?: Cni
  /** with Calico: what it writes its rules with; iptables if nothing is said */
  readonly felix?: Felix
  /** a folder of this host that nodes see read-only under its own name, netctl itself for instance; else nothing but /usr and /etc is seen */
  readonly shared?: string
}

/** how nodes wire their pods: a link for each, all behind one bridge, by Calico, which judges policies too, or not at all */
export type Cni = 'ptp' | 'bridge' | 'calico' | 'none'

export type Felix = 'iptables' | 'nftables'

export type ProxyMode = 'iptables' | 'nftables' | 'ipvs' | 'none'
