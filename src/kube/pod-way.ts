import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { rec, str } from '../cluster/items.ts'
import { onLeaving } from '../system/leaving.ts'
import type { RunScript } from '../system/run-script.ts'
import type { Way } from '../system/way.ts'
import { runByExec } from './exec.ts'
import type { OpenContext } from './kubeconfig.ts'
import { CONTAINER, MANAGED_BY, nodeJob, onNode, RUN } from './node-job.ts'
import { podsOfRun } from './node-pods.ts'
import type { Answer, Ask } from './requests.ts'

export interface PodWayOptions {
  /** where the Jobs are made */
  readonly namespace: string
  readonly image: string
  /** until a pod runs */
  readonly patienceMs: number
  /** of a Job, from when it is made */
  readonly lifetimeMs: number
}

interface Made {
  readonly name: string
  /** when the cluster takes it away by itself */
  readonly until: Date
  /** the cluster has answered, or will not */
  readonly settled: Promise<Answer | { readonly failure: string }>
}

/** By one short-lived privileged pod on each node: see node-job.ts. A pod is made when it is first asked for. */
export function podWay(open: OpenContext, ask: Ask, { namespace, image, patienceMs, lifetimeMs }: PodWayOptions): Way {
  const run = randomBytes(4).toString('hex')
  const jobs = `/apis/batch/v1/namespaces/${encodeURIComponent(namespace)}/jobs`
  const started = podsOfRun(ask, { namespace, labelSelector: `${MANAGED_BY}=netctl,${RUN}=${run}` })
  /** node → what is there for it */
  const made = new Map<string, Made>()
  const running = new Map<string, Promise<RunScript | { readonly missing: string }>>()
  let count = 0
  let closed = false

  const make = (node: string): Made => {
    const name = `netctl-${run}-${++count}`
    const seconds = Math.ceil(lifetimeMs / 1000)
    const body = nodeJob({ run, name, namespace, node, image, seconds })
    const settled = ask(jobs, { method: 'POST', body }).catch((error: Error) => ({ failure: error.message }))
    const one = { name, until: new Date(Date.now() + seconds * 1000), settled }
    made.set(node, one)
    return one
  }
  const start = async (node: string): Promise<RunScript | { readonly missing: string }> => {
    const { name, settled } = make(node)
    const answer = await settled
    if ('failure' in answer) return { missing: `no Job could be made: ${answer.failure}` }
    if (answer.status === 403) return { missing: refusal(answer, namespace) }
    if (answer.status !== 201) return { missing: `no Job could be made: ${said(answer)}` }
    const pod = await started(name, patienceMs)
    if (pod.kind !== 'running') return { missing: `its pod ${name}: ${pod.why}` }
    return runByExec(open, { namespace, pod: pod.pod, container: CONTAINER, command: onNode })
  }
  /** What is left of it, if it can't be taken away. */
  const remove = async (node: string, { name, until, settled }: Made): Promise<readonly string[]> => {
    const answer = await settled
    // never made
    if ('status' in answer && answer.status !== 201) return []
    const left = await removed(ask, `${jobs}/${name}`)
    return left === undefined
      ? []
      : [`Job ${name} in ${namespace}, for ${node}, could not be deleted: ${left}; it ends by itself at ${clock(until)}`]
  }
  const take = async (node: string): Promise<readonly string[]> => {
    const one = made.get(node)
    running.delete(node)
    if (!one) return []
    const left = await remove(node, one)
    if (left.length === 0) made.delete(node)
    return left
  }
  const close = async (): Promise<readonly string[]> => {
    closed = true
    forget()
    return (await Promise.all([...made.keys()].map(take))).flat()
  }
  const forget = onLeaving(close)
  return {
    kind: 'pod',
    said: `a short-lived pod on each node (Jobs netctl-${run}-* in ${namespace})`,
    unseen: [],
    async to(node) {
      if (closed) return { missing: 'stopped' }
      const known = running.get(node) ?? start(node)
      running.set(node, known)
      return known
    },
    async leave(node) {
      await take(node)
    },
    close,
  }
}

/** undefined if it is gone, else why not. An API server that is away for a moment is asked again. */
async function removed(ask: Ask, path: string): Promise<string | undefined> {
  for (let tries = 1; ; tries++) {
    const answer = await ask(path, { method: 'DELETE', body: { propagationPolicy: 'Background' } }).catch((error: Error) => error.message)
    if (typeof answer !== 'string' && (answer.status < 300 || answer.status === 404)) return undefined
    if (tries === 3 || (typeof answer !== 'string' && answer.status < 500)) return typeof answer === 'string' ? answer : said(answer)
    await sleep(1000)
  }
}

/** Time of day, as far as it is needed for the next hour. */
const clock = (time: Date): string => `${time.toISOString().slice(11, 19)} UTC`

const said = ({ status, body }: Answer): string => str(rec(body).message)?.replace(/\s+/g, ' ').slice(0, 300) ?? `status ${status}`

/** RBAC, or an admission plugin that says why. */
function refusal(answer: Answer, namespace: string): string {
  const why = said(answer)
  return / cannot create resource "jobs" /.test(why)
    ? `the right lacks to create jobs.batch in ${namespace}`
    : `no Job could be made: ${why}`
}
