import { setTimeout as sleep } from 'node:timers/promises'
import { arr, type Json, rec, str } from '../cluster/items.ts'
import { type Among, listAll, PODS } from './list-objects.ts'
import type { Get } from './requests.ts'

/** How far the pod of a Job has come. `why`: for people, no full stop. */
export type Started =
  | { readonly kind: 'running'; readonly pod: string }
  | { readonly kind: 'waiting'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string }

const EVENTS = { group: '', version: 'v1', plural: 'events', kind: 'Event' }
/** kubelet: pkg/kubelet/images, pkg/kubelet/kuberuntime. It would try again, for minutes. */
const HOPELESS = new Set([
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'CrashLoopBackOff',
])
const POLL_MS = 300
/** one has to ask for its events to know why there is no pod */
const POD_DUE_MS = 1500
const LATE = Symbol('late')

/** What a pod says about itself. */
export function startedOf(pod: Json): Started {
  const status = rec(pod.status)
  const { state } = rec(arr(status.containerStatuses)[0])
  const waiting = rec(rec(state).waiting)
  const why = [str(waiting.reason), str(waiting.message)].filter(Boolean).join(': ')
  if (rec(state).running !== undefined) return { kind: 'running', pod: str(rec(pod.metadata).name) ?? '' }
  if (rec(pod.metadata).deletionTimestamp !== undefined) return { kind: 'failed', why: 'it was deleted' }
  const terminated = rec(rec(state).terminated)
  if (status.phase === 'Failed' || status.phase === 'Succeeded' || rec(state).terminated !== undefined) {
    const ended = [str(status.reason) ?? str(terminated.reason), str(status.message) ?? str(terminated.message)].filter(Boolean).join(': ')
    return { kind: 'failed', why: short(ended || 'it has ended') }
  }
  if (HOPELESS.has(str(waiting.reason) ?? ''))
    return { kind: 'failed', why: `${short(why)}${why.includes('Image') ? '; --pod-image names another' : ''}` }
  if (why) return { kind: 'waiting', why: short(why) }
  return { kind: 'waiting', why: `the kubelet has not taken it up (${str(status.phase) ?? 'Pending'})` }
}

/** Asks for the pods of a run, as long as somebody waits for one of them; all who wait share one question. */
export function podsOfRun(get: Get, among: Among): (job: string, patienceMs: number) => Promise<Started> {
  let asked: Promise<readonly Json[] | undefined> | undefined
  const ask = () =>
    (asked ??= sleep(POLL_MS)
      .then(() => listAll(get, PODS, among))
      .finally(() => {
        asked = undefined
      }))
  const refusalOf = async (job: string): Promise<string | undefined> => {
    const events = await listAll(get, EVENTS, { ...among, labelSelector: undefined })
    if (events === undefined) return `nothing is known of it: the right lacks to list events in ${among.namespace}`
    const one = events.find(({ involvedObject, reason }) => rec(involvedObject).name === job && reason === 'FailedCreate')
    return one && short(str(one.message) ?? 'FailedCreate')
  }
  return async (job, patienceMs) => {
    const begin = performance.now()
    let last: Started = { kind: 'waiting', why: 'nothing is known of it yet' }
    for (let gone = 0; gone < patienceMs; gone = performance.now() - begin) {
      const pods = await Promise.race([ask().catch(reason), sleep(patienceMs - gone, LATE, { ref: false })])
      if (pods === LATE) break
      if (typeof pods === 'string') {
        last = { kind: 'waiting', why: pods }
        continue
      }
      if (pods === undefined) return { kind: 'failed', why: `the right lacks to list pods in ${among.namespace}` }
      const pod = pods.find(({ metadata }) => rec(rec(metadata).labels)['job-name'] === job)
      if (pod) last = startedOf(pod)
      else if (gone > POD_DUE_MS) {
        const why = await refusalOf(job).catch(reason)
        if (why !== undefined) last = { kind: why.includes(' is forbidden: ') ? 'failed' : 'waiting', why }
      }
      if (last.kind !== 'waiting') return last
    }
    return { kind: 'failed', why: `it did not start within ${Math.round(patienceMs / 1000)} s: ${last.why}` }
  }
}

/** An API server that is away may be back in time. */
const reason = (error: unknown): string => short(error instanceof Error ? error.message : String(error))

/** Of a long chain of causes the beginning and the end: what was done, and what stood in its way. */
function short(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= 260 ? line : `${line.slice(0, 120)} … ${line.slice(-120)}`
}
