const set = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

/** Words of the APIs of Kubernetes and Calico. */
export const OBJECTS =
  set(`TCP UDP SCTP ICMP ICMPv6 UDPLite None ClusterIP NodePort LoadBalancer ExternalName Cluster Local ClientIP SingleStack PreferDualStack
  RequireDualStack IPv4 IPv6 FQDN VIP Proxy PreferClose PreferSameNode PreferSameZone Auto auto Running Pending Succeeded Failed Unknown True False true false
  Ready Initialized PodScheduled ContainersReady PodReadyToStartContainers DisruptionTarget NetworkUnavailable MemoryPressure DiskPressure PIDPressure
  InternalIP ExternalIP Hostname InternalDNS ExternalDNS CalicoNodeIP linux windows amd64 arm64 NoSchedule NoExecute PreferNoSchedule Always OnFailure Never
  Allow Deny Log Pass Accept Ingress Egress Admin Baseline In NotIn Exists DoesNotExist CrossSubnet Enabled Disabled Workload Tunnel Automatic Manual
  DoNothing ApplyOnForward Insert Append NFT Legacy IPTables Info Debug Warning Error Fatal ACCEPT DROP RETURN REJECT Drop Reject Return
  ipipTunnelAddress vxlanTunnelAddress vxlanV6TunnelAddress wireguardTunnelAddress wireguardV6TunnelAddress serviceLoadBalancer
  k8s endpointslice-controller.k8s.io endpointslicemirroring-controller.k8s.io NodeAddress all-interfaces
  Pod Node Namespace Service ServiceAccount EndpointSlice ReplicaSet Deployment StatefulSet DaemonSet Job CronJob ReplicationController
  NetworkPolicy GlobalNetworkPolicy StagedNetworkPolicy StagedGlobalNetworkPolicy StagedKubernetesNetworkPolicy Tier NetworkSet GlobalNetworkSet HostEndpoint
  Profile FelixConfiguration KubeControllersConfiguration IPPool IPAMBlock WorkloadEndpoint AdminNetworkPolicy BaselineAdminNetworkPolicy ClusterNetworkPolicy
  GET HEAD POST PUT PATCH DELETE CONNECT OPTIONS TRACE * cali cali,eni Set Delete Learn Ignore`)

/** Labels that mean the same everywhere. All other keys are somebody's own. */
export const LABEL_KEYS =
  set(`kubernetes.io/metadata.name kubernetes.io/service-name kubernetes.io/hostname kubernetes.io/os kubernetes.io/arch
  kubernetes.io/cluster-service beta.kubernetes.io/os beta.kubernetes.io/arch beta.kubernetes.io/instance-type topology.kubernetes.io/zone
  topology.kubernetes.io/region failure-domain.beta.kubernetes.io/zone failure-domain.beta.kubernetes.io/region node.kubernetes.io/instance-type
  node-role.kubernetes.io/control-plane node-role.kubernetes.io/master node-role.kubernetes.io/worker
  node.kubernetes.io/exclude-from-external-load-balancers node.kubernetes.io/not-ready node.kubernetes.io/unreachable
  endpointslice.kubernetes.io/managed-by endpointslice.kubernetes.io/skip-mirror service.kubernetes.io/headless service.kubernetes.io/service-proxy-name
  app.kubernetes.io/name app.kubernetes.io/instance app.kubernetes.io/version app.kubernetes.io/component app.kubernetes.io/part-of app.kubernetes.io/managed-by
  apps.kubernetes.io/pod-index statefulset.kubernetes.io/pod-name batch.kubernetes.io/job-name batch.kubernetes.io/controller-uid
  batch.kubernetes.io/job-completion-index pod-template-hash controller-revision-hash pod-template-generation job-name controller-uid k8s-app app
  projectcalico.org/name projectcalico.org/namespace projectcalico.org/orchestrator projectcalico.org/serviceaccount projectcalico.org/tier
  projectcalico.org/created-by projectcalico.org/operator-node-migration pod-security.kubernetes.io/enforce pod-security.kubernetes.io/enforce-version
  pod-security.kubernetes.io/audit pod-security.kubernetes.io/warn`)
