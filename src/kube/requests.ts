import { setTimeout as sleep } from 'node:timers/promises'
import { ExitCode, NetctlError } from '../error.ts'
import type { OpenContext } from './kubeconfig.ts'

/** What an API server said. */
export interface Answer {
  readonly status: number
  /** the JSON of the body; undefined where it is none */
  readonly body: unknown
}

/** Asks for a path below the server's address. Throws NetctlError (exit 3) where there is no answer. */
export type Get = (path: string) => Promise<Answer>

/** What changes something, or is too long for a path; as JSON. */
export interface Sent {
  readonly method: 'POST' | 'DELETE'
  readonly body: object
}

/** As `Get`, and with something sent. */
export type Ask = (path: string, sent?: Sent) => Promise<Answer>

/** No answer to one request in this time is none at all. */
const PATIENCE_MS = 30_000
const MOST_RETRIES = 4
/** Between an API server that is restarted or has lost its etcd, and one that is up; asked again after so long, as often. */
const AGAIN_MS = [300, 1500]

/** Requests to the cluster of a context, with its credentials: KUB003 if it has none, KUB004 unreachable, KUB005 out of time. */
export async function openRequests({ config, name }: OpenContext, patienceMs: number = PATIENCE_MS): Promise<Ask> {
  const { HttpMethod, IsomorphicFetchHttpLibrary, RequestContext } = await import('@kubernetes/client-node')
  // kubectl talks plain HTTP where the kubeconfig says so (kubectl proxy); the client wants to be told that this is no mistake
  config.clusters = config.clusters.map((cluster) => (cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster))
  const server = config.getCurrentCluster()?.server
  if (server === undefined)
    throw new NetctlError({ code: 'KUB002', message: `context ${name} names no cluster that is there`, try: 'kubectl config view' })
  // asked for once: it may run a program, and brings the pool of connections
  const template = new RequestContext(server, HttpMethod.GET)
  try {
    await config.applySecurityAuthentication(template)
  } catch (cause) {
    throw new NetctlError({
      code: 'KUB003',
      message: `no credentials for context ${name}: ${cause instanceof Error ? firstLine(cause.message) : String(cause)}`,
      try: `kubectl --context ${name} get --raw /version`,
      exitCode: ExitCode.unknown,
      cause,
    })
  }
  const library = new IsomorphicFetchHttpLibrary()
  const ask = async (path: string, sent: Sent | undefined) => {
    const request = new RequestContext(`${server.replace(/\/+$/, '')}${path}`, sent ? HttpMethod[sent.method] : HttpMethod.GET)
    for (const [key, value] of Object.entries(template.getHeaders())) request.setHeaderParam(key, value)
    request.setHeaderParam('Accept', 'application/json')
    if (sent) {
      request.setHeaderParam('Content-Type', 'application/json')
      request.setBody(JSON.stringify(sent.body))
    }
    const dispatcher = template.getDispatcher()
    if (dispatcher !== undefined) request.setDispatcher(dispatcher)
    request.setSignal(AbortSignal.timeout(patienceMs))
    try {
      const response = await library.send(request).toPromise()
      return { status: response.httpStatusCode, headers: response.headers, text: await response.body.text() }
    } catch (cause) {
      throw noAnswer(server, name, patienceMs, cause)
    }
  }
  // what changes something is not sent again unasked: it may have come through
  const patient = async (path: string, sent: Sent | undefined) => {
    for (const waitMs of sent ? [] : AGAIN_MS) {
      const answer = await ask(path, sent).catch((error: NetctlError) => {
        if (error.code !== 'KUB004' || isRefused(error)) throw error
      })
      if (answer && answer.status < 500) return answer
      await sleep(waitMs)
    }
    return ask(path, sent)
  }
  return async (path, sent) => {
    for (let tries = 0; ; tries++) {
      const { status, headers, text } = await patient(path, sent)
      // the server is busy, and says when to come again
      if (status !== 429 || tries === MOST_RETRIES) return { status, body: parsed(text) }
      await sleep(Math.min(Number(headers['retry-after']) || 1, 10) * 1000)
    }
  }
}

/** Is nobody there? Then there will be nobody in a second either, more often than not. */
const isRefused = ({ cause }: NetctlError): boolean => {
  const { code } = ((cause as { cause?: unknown } | undefined)?.cause ?? cause ?? {}) as { readonly code?: unknown }
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND'
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function noAnswer(server: string, context: string, patienceMs: number, cause: unknown): NetctlError {
  if ((cause as { name?: unknown }).name === 'TimeoutError') {
    return new NetctlError({
      code: 'KUB005',
      message: `${server} did not answer within ${patienceMs / 1000} s`,
      try: `check that the cluster is up: kubectl --context ${context} get --raw /readyz`,
      exitCode: ExitCode.unknown,
      cause,
    })
  }
  // undici's own message is `fetch failed`; what failed stands in the cause
  const inner = (cause as { cause?: unknown }).cause ?? cause
  return new NetctlError({
    code: 'KUB004',
    message: `${server} can't be reached: ${inner instanceof Error ? firstLine(inner.message) || inner.name : String(inner)}`,
    try: `kubectl --context ${context} get --raw /version, or another --context`,
    exitCode: ExitCode.unknown,
    cause,
  })
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''
