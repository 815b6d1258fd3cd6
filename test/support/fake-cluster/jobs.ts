/** What the controllers and kubelets of a fake cluster make of Jobs and Pods. */
import { arr, type Json, num, rec, str } from '../../../src/cluster/items.ts'
import type { Clock } from './clock.ts'
import { nameOf, namespaceOf, type Objects, type Place } from './objects.ts'

export const PODS: Place = { group: '', version: 'v1', plural: 'pods' }
export const JOBS: Place = { group: 'batch', version: 'v1', plural: 'jobs' }
const EVENTS: Place = { group: '', version: 'v1', plural: 'events' }
const NODES: Place = { group: '', version: 'v1', plural: 'nodes' }

export interface Workings {
  readonly objects: Objects
  readonly clock: Clock
  /** from a pod's creation to its containers' start */
  readonly startMs: number
  /** why an image can't be had */
  readonly pull: (image: string) => string | undefined
  /** why an object is not let in */
  readonly admit: (object: Json) => string | undefined
  /** nodes whose kubelet does not answer */
  readonly gone: ReadonlySet<string>
  /** its containers have ended */
  readonly ended: (pod: Json) => void
}

export interface Controllers {
  job(job: Json): void
  pod(pod: Json): void
  /** What a DELETE does. */
  remove(place: Place, object: Json, propagation: string | undefined): void
}

export function makeControllers(w: Workings): Controllers {
  const { objects, clock } = w
  const at = () => new Date(clock.now()).toISOString()
  const current = (place: Place, object: Json): Json | undefined => {
    const found = objects.get(place, namespaceOf(object), nameOf(object))
    return rec(found?.metadata).uid === rec(object.metadata).uid ? found : undefined
  }
  const podsOf = (job: Json): readonly Json[] =>
    objects
      .all(PODS, namespaceOf(job))
      .filter((pod) => arr(rec(pod.metadata).ownerReferences).some((owner) => rec(owner).uid === rec(job.metadata).uid))

  const removePod = (pod: Json): void => {
    if (!w.gone.has(str(rec(pod.spec).nodeName) ?? '')) {
      w.ended(pod)
      objects.remove(PODS, pod)
    } else if (rec(pod.metadata).deletionTimestamp === undefined) {
      // nobody there who would confirm it
      objects.change(PODS, pod, { metadata: { deletionTimestamp: at() } })
    }
  }
  const removeJob = (job: Json): void => {
    for (const pod of podsOf(job)) removePod(pod)
    objects.remove(JOBS, job)
  }
  const endJob = (job: Json, type: 'Complete' | 'Failed', reason: string): void => {
    objects.change(JOBS, job, { status: { ...rec(job.status), active: 0, conditions: [{ type, status: 'True', reason }] } })
    const ttl = num(rec(job.spec).ttlSecondsAfterFinished)
    if (ttl !== undefined) {
      clock.after(ttl * 1000, () => {
        const found = current(JOBS, job)
        if (found) removeJob(found)
      })
    }
  }

  const start = (pod: Json): void => {
    const spec = rec(pod.spec)
    const node = str(spec.nodeName) ?? ''
    const known = objects.get(NODES, undefined, node)
    if (!known || w.gone.has(node)) return
    const containers = [...arr(spec.initContainers), ...arr(spec.containers)].map(rec)
    const refusal = containers.map((one) => w.pull(str(one.image) ?? '')).find((why) => why !== undefined)
    const waiting = refusal !== undefined && { waiting: { reason: 'ImagePullBackOff', message: refusal } }
    const hostIP = str(rec(arr(rec(known.status).addresses)[0]).address) ?? '192.0.2.1'
    objects.change(PODS, pod, {
      status: {
        phase: waiting ? 'Pending' : 'Running',
        hostIP,
        startTime: at(),
        ...(!waiting && { podIP: hostIP, podIPs: [{ ip: hostIP }] }),
        conditions: [{ type: 'Ready', status: waiting ? 'False' : 'True' }],
        containerStatuses: arr(spec.containers).map((one) => ({
          name: rec(one).name,
          image: rec(one).image,
          ready: !waiting,
          started: !waiting,
          restartCount: 0,
          state: waiting || { running: { startedAt: at() } },
        })),
      },
    })
  }

  const controllers: Controllers = {
    pod(pod) {
      clock.after(w.startMs, () => {
        const found = current(PODS, pod)
        if (found && rec(found.metadata).deletionTimestamp === undefined) start(found)
      })
      const limit = num(rec(pod.spec).activeDeadlineSeconds)
      if (limit !== undefined) {
        clock.after(limit * 1000, () => {
          const found = current(PODS, pod)
          if (!found) return
          w.ended(found)
          objects.change(PODS, found, { status: { ...rec(found.status), phase: 'Failed', reason: 'DeadlineExceeded' } })
        })
      }
    },
    job(job) {
      const spec = rec(job.spec)
      const template = rec(spec.template)
      const podSpec = rec(template.spec)
      const name = nameOf(job)
      const namespace = namespaceOf(job)
      objects.change(JOBS, job, { status: { active: 1, startTime: at() } })
      const made = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          ...rec(template.metadata),
          generateName: `${name}-`,
          namespace,
          labels: { ...rec(rec(template.metadata).labels), 'batch.kubernetes.io/job-name': name, 'job-name': name },
          ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid: rec(job.metadata).uid, controller: true }],
        },
        spec: { serviceAccountName: 'default', ...podSpec, nodeName: podSpec.nodeName ?? chosen(podSpec) },
        status: { phase: 'Pending' },
      }
      const refusal = w.admit(made)
      if (refusal !== undefined) {
        objects.add(EVENTS, {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { namespace, generateName: `${name}.` },
          type: 'Warning',
          reason: 'FailedCreate',
          message: `Error creating: pods "${name}-" is forbidden: ${refusal}`,
          involvedObject: { kind: 'Job', apiVersion: 'batch/v1', namespace, name, uid: rec(job.metadata).uid },
        })
      } else {
        const pod = objects.add(PODS, made)
        if (pod) controllers.pod(pod)
      }
      const limit = num(spec.activeDeadlineSeconds)
      if (limit !== undefined) {
        clock.after(limit * 1000, () => {
          const found = current(JOBS, job)
          if (!found) return
          for (const pod of podsOf(found)) removePod(pod)
          endJob(found, 'Failed', 'DeadlineExceeded')
        })
      }
    },
    remove(place, object, propagation) {
      if (place.plural === 'pods' && place.group === '') removePod(object)
      // for batch/v1 the server's default is Background, as for all others
      else if (place.plural === 'jobs' && propagation !== 'Orphan') removeJob(object)
      else objects.remove(place, object)
    },
  }

  /** The scheduler: the node that a selector or an affinity names, else the first. */
  const chosen = (spec: Json): string => {
    const byLabel = str(rec(spec.nodeSelector)['kubernetes.io/hostname'])
    const wanted = /"(?:metadata\.name|kubernetes\.io\/hostname)","operator":"In","values":\["([^"]+)"\]/.exec(
      JSON.stringify(spec.affinity ?? {}),
    )?.[1]
    return byLabel ?? wanted ?? nameOf(objects.all(NODES)[0] ?? {})
  }
  return controllers
}
