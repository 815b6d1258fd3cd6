/** What of a cluster's objects belongs into a snapshot. Secrets can stand anywhere that a user may write to: what is kept is named, not what is left out. */
import { arr, type Json, rec, str } from '../../cluster/items.ts'

/** Whose annotations say something about packets; a user's own may hold anything. */
const ANNOTATIONS = /(?:^|[./])(?:projectcalico\.org|kubernetes\.io|k8s\.io|amazonaws\.com)\//
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

const POD_SPEC = [
  'nodeName',
  'hostNetwork',
  'serviceAccountName',
  'serviceAccount',
  'hostname',
  'subdomain',
  'restartPolicy',
  'terminationGracePeriodSeconds',
]
const POD_STATUS = ['phase', 'podIP', 'podIPs', 'hostIP', 'hostIPs', 'startTime']
const CONTAINER = ['name', 'image', 'ports', 'restartPolicy']
const CONDITION = ['type', 'status', 'lastTransitionTime']

/** An object without what no snapshot may hold: environments, arguments, volumes, last-applied copies, messages of containers, names of Secrets. */
export function cut(object: Json): Json {
  const { metadata, spec, status, ...rest } = object
  const kept = { ...rest, metadata: cutMetadata(rec(metadata)) }
  switch (object.kind) {
    case 'Pod':
      return { ...kept, spec: cutPodSpec(rec(spec)), status: cutStatus(rec(status), POD_STATUS) }
    case 'Node':
      return {
        ...kept,
        spec: pick(rec(spec), ['podCIDR', 'podCIDRs', 'providerID', 'taints', 'unschedulable']),
        status: cutStatus(rec(status), ['addresses', 'nodeInfo']),
      }
    case 'ServiceAccount':
      return { apiVersion: object.apiVersion, kind: object.kind, metadata: kept.metadata }
    default:
      return { ...kept, ...(spec !== undefined && { spec }), ...(status !== undefined && { status }) }
  }
}

function cutMetadata({ managedFields: _, annotations, ...metadata }: Json): Json {
  const kept = Object.entries(rec(annotations)).filter(([key]) => ANNOTATIONS.test(key) && key !== LAST_APPLIED)
  if (kept.length === 0) return metadata
  return { ...metadata, annotations: Object.fromEntries(kept.map(([key, value]) => [key, key === STORED ? cutStored(value) : value])) }
}

/** Calico's CRDs keep the metadata of the object as it was written here, annotations and all. */
const STORED = 'projectcalico.org/metadata'

function cutStored(value: unknown): unknown {
  try {
    return JSON.stringify(cutMetadata(rec(JSON.parse(str(value) ?? ''))))
  } catch {
    return '{}'
  }
}

const cutPodSpec = (spec: Json): Json => ({
  ...pick(spec, POD_SPEC),
  containers: arr(spec.containers).map((c) => pick(rec(c), CONTAINER)),
  ...(spec.initContainers !== undefined && { initContainers: arr(spec.initContainers).map((c) => pick(rec(c), CONTAINER)) }),
})

const cutStatus = (status: Json, keys: readonly string[]): Json => ({
  ...pick(status, keys),
  ...(status.conditions !== undefined && { conditions: arr(status.conditions).map((c) => pick(rec(c), CONDITION)) }),
})

const pick = (from: Json, keys: readonly string[]): Json =>
  Object.fromEntries(keys.flatMap((key) => (from[key] === undefined ? [] : [[key, from[key]]])))
