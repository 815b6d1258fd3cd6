import type { FieldPath } from '../../cluster/manifest/types.ts'
import { type Ip, parseIp } from '../../net/ip.ts'
import type { Loose } from './loose.ts'
import type { Metadata } from './metadata.ts'

type Json = Readonly<Record<string, unknown>>

/** What policies see of a pod, whether it is there or a workload will make it. */
export interface PodShape {
  readonly labels: Readonly<Record<string, string>>
  /** undefined: not said. Admission makes that `default`, but for mirrors of static pods */
  readonly serviceAccount?: string
  readonly hostNetwork: boolean
  /** of all containers, init containers too (conversion/workload_endpoint_default.go) */
  readonly ports: readonly ContainerPort[]
}

export interface ContainerPort {
  readonly name?: string
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
  readonly port: number
}

export interface Pod extends PodShape {
  readonly kind: 'Pod'
  readonly metadata: Metadata
  readonly node?: string
  /** as status has them, else as the network plug-in noted them */
  readonly ips: readonly Ip[]
  /** has given back its address: Succeeded, Failed, or being deleted with no network any more */
  readonly finished: boolean
  readonly owner?: Owner
}

/** The controller of a pod or a workload: `{kind: 'ReplicaSet', name: 'web-7c9f'}` */
export interface Owner {
  readonly kind: string
  readonly name: string
}

/** Anything with a pod template. */
export interface Workload {
  readonly kind: 'Workload'
  readonly type: string
  readonly metadata: Metadata
  /** how many pods it calls for; undefined: one for each node (DaemonSet) */
  readonly replicas?: number
  readonly template: PodShape
  readonly owner?: Owner
}

/** Pod, read loosely: a cluster has it already. */
export function pod(json: Json, loose: Loose, namespace: string): Pod {
  const metadata = loose.metadata(json, namespace)
  const spec = loose.object(json, 'spec', [])
  const status = loose.object(json, 'status', [])
  const node = loose.text(spec, 'nodeName', SPEC)
  const owner = ownerOf(json, loose)
  return {
    kind: 'Pod',
    metadata,
    ...podShape(spec, metadata.labels, SPEC, loose),
    ...(node && { node }),
    ips: podIps(status, metadata.annotations, loose),
    finished: isFinished(json, status, metadata.annotations, loose),
    ...(owner && { owner }),
  }
}

const SPEC = ['spec']
const STATUS = ['status']

function podShape(spec: Json, labels: Readonly<Record<string, string>>, at: FieldPath, loose: Loose): PodShape {
  const serviceAccount = loose.text(spec, 'serviceAccountName', at) || loose.text(spec, 'serviceAccount', at)
  return {
    labels,
    ...(serviceAccount && { serviceAccount }),
    hostNetwork: loose.flag(spec, 'hostNetwork', at),
    ports: [...containerPorts(spec, 'containers', at, loose), ...containerPorts(spec, 'initContainers', at, loose)],
  }
}

function* containerPorts(spec: Json, key: string, at: FieldPath, loose: Loose): Iterable<ContainerPort> {
  for (const [container, place] of loose.objects(spec, key, at)) {
    for (const [given, where] of loose.objects(container, 'ports', place)) {
      const port = loose.number(given, 'containerPort', where)
      const name = loose.text(given, 'name', where)
      const protocol = loose.text(given, 'protocol', where) || 'TCP'
      if (protocol !== 'TCP' && protocol !== 'UDP' && protocol !== 'SCTP') loose.refuse([...where, 'protocol'], 'must be TCP, UDP or SCTP')
      else if (port !== undefined) yield { ...(name && { name }), protocol, port }
    }
  }
}

/** In the order in which Calico looks (libcalico-go/lib/backend/k8s/conversion, getPodIPs). */
function podIps(status: Json, annotations: Readonly<Record<string, string>>, loose: Loose): readonly Ip[] {
  const listed = [...loose.objects(status, 'podIPs', STATUS)].flatMap(([ip, at]) => loose.text(ip, 'ip', at) ?? [])
  const one = loose.text(status, 'podIP', STATUS)
  const noted =
    annotations['cni.projectcalico.org/podIPs'] || annotations['cni.projectcalico.org/podIP'] || annotations['vpc.amazonaws.com/pod-ips']
  const texts = listed.length > 0 ? listed : one ? [one] : (noted?.split(',') ?? [])
  return texts.flatMap((text) => parseIp(text.trim().replace(/\/\d+$/, '')) ?? [])
}

function isFinished(json: Json, status: Json, annotations: Readonly<Record<string, string>>, loose: Loose): boolean {
  const phase = loose.text(status, 'phase', STATUS)
  if (phase === 'Succeeded' || phase === 'Failed') return true
  const deleting = loose.object(json, 'metadata', []).deletionTimestamp
  return Boolean(deleting) && (annotations['cni.projectcalico.org/podIP'] === '' || annotations['vpc.amazonaws.com/pod-ips'] === '')
}

function ownerOf(json: Json, loose: Loose): Owner | undefined {
  for (const [owner, at] of loose.objects(loose.object(json, 'metadata', []), 'ownerReferences', ['metadata'])) {
    const kind = loose.text(owner, 'kind', at)
    const name = loose.text(owner, 'name', at)
    if (owner.controller === true && kind && name) return { kind, name }
  }
  return undefined
}

/** `template`: the way to the pod template of the kind. */
export function workload(json: Json, type: string, loose: Loose, namespace: string): Workload {
  const metadata = loose.metadata(json, namespace)
  const at: string[] = []
  let holder = json
  for (const step of type === 'CronJob' ? ['spec', 'jobTemplate', 'spec', 'template'] : ['spec', 'template']) {
    holder = loose.object(holder, step, at)
    at.push(step)
  }
  const spec = loose.object(json, 'spec', [])
  const replicas = type === 'Job' || type === 'CronJob' ? 1 : type === 'DaemonSet' ? undefined : (loose.number(spec, 'replicas', SPEC) ?? 1)
  const labels = loose.labels(loose.object(holder, 'metadata', at), 'labels', [...at, 'metadata'])
  const owner = ownerOf(json, loose)
  return {
    kind: 'Workload',
    type,
    metadata,
    ...(replicas !== undefined && { replicas }),
    template: podShape(loose.object(holder, 'spec', at), labels, [...at, 'spec'], loose),
    ...(owner && { owner }),
  }
}
