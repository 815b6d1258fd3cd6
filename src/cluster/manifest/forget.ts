import { arr, rec } from '../items.ts'

const CONTAINER_LISTS = ['containers', 'initContainers', 'ephemeralContainers']
/** what of a container can hold secrets, or lead to them */
const PRIVATE = [
  'args',
  'command',
  'env',
  'envFrom',
  'lifecycle',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'volumeDevices',
  'volumeMounts',
]

/**
 * Takes out of an object what policies don't need and nobody should see printed: the environment, arguments and volumes of pods, and the copies of
 * them in annotations and managedFields. It changes the object, which was made for us; places of fields are found in its text.
 */
export function forget(object: unknown): void {
  const { metadata, spec } = rec(object)
  drop(metadata, ['managedFields'])
  drop(rec(metadata).annotations, ['kubectl.kubernetes.io/last-applied-configuration'])
  // a CronJob's template holds a Job's, which holds a pod's
  for (let pod = spec, depth = 0; depth < 3; depth++) {
    drop(pod, ['volumes'])
    for (const list of CONTAINER_LISTS) for (const container of arr(rec(pod)[list])) drop(container, PRIVATE)
    const template = rec(rec(pod).template ?? rec(pod).jobTemplate)
    drop(rec(template.metadata).annotations, ['kubectl.kubernetes.io/last-applied-configuration'])
    pod = template.spec
  }
}

function drop(from: unknown, keys: readonly string[]): void {
  if (typeof from !== 'object' || from === null) return
  for (const key of keys) delete (from as Record<string, unknown>)[key]
}
