/**
 * A cluster on loopback, for tests: an API server that keeps objects, gives Jobs their pods, runs `pods/exec`, and refuses what a role does not allow.
 * What stands in for the kubelets and controllers is in fake-cluster/. Nothing is run unless the test says how (`exec`).
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { arr, type Json, rec, str } from '../../src/cluster/items.ts'
import { writeKubeconfig } from './fake-api.ts'
import { isTiered, seesTier, tierOf } from './fake-cluster/calico.ts'
import { makeClock } from './fake-cluster/clock.ts'
import { discovery } from './fake-cluster/discovery.ts'
import { type ExecAt, type ExecFault, makeExecs, type Run } from './fake-cluster/exec.ts'
import { JOBS, makeControllers, PODS } from './fake-cluster/jobs.ts'
import { makeObjects, nameOf, namespaceOf, type Place } from './fake-cluster/objects.ts'
import { forbidden, notFound, propagationOf, type Refusal, refusal, verbOf, type Where, whereOf } from './fake-cluster/requests.ts'
import type { Right } from './fake-cluster/roles.ts'

export interface Asked extends Right {
  /** with the query */
  readonly path: string
}

/** What goes wrong with one request. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly message: string }
  /** never answered; of an exec: from so many bytes of its output on */
  | { readonly kind: 'hang'; readonly afterBytes?: number }
  /** the connection ends after so many bytes of the answer, or of an exec's output */
  | { readonly kind: 'cut'; readonly afterBytes?: number }

export interface FakeSetup {
  /** with `apiVersion` and `kind`; `itemsOfList` reads them from a snapshot's cluster/*.json */
  readonly objects?: Iterable<Json>
  /** names of nodes that are there beside those among the objects */
  readonly nodes?: readonly string[]
  /** kinds that are served though there is no object of them */
  readonly serves?: readonly Place[]
  /** everything, if not said; see fake-cluster/roles.ts */
  readonly allowed?: (right: Right) => boolean
  readonly exec?: (at: ExecAt) => Run
  /** what the server speaks; v5 of channel.k8s.io since Kubernetes 1.30, and v4 */
  readonly protocols?: readonly string[]
  /** why an image can't be pulled */
  readonly pull?: (image: string) => string | undefined
  /** why a Job, a Pod or another new object is refused */
  readonly admit?: (object: Json) => string | undefined
  /** until a pod's containers run; 20 if not said */
  readonly startMs?: number
  readonly fault?: (asked: Asked) => Fault | undefined
}

export interface FakeCluster {
  readonly url: string
  /** a file */
  readonly kubeconfig: string
  readonly asked: readonly Asked[]
  /** bytes of bodies and of exec's output sent so far */
  readonly served: () => number
  /** What is there now, of `pods`, `jobs`, `events` (batch, core). */
  readonly left: (plural: 'pods' | 'jobs' | 'events') => readonly Json[]
  /** Moves the cluster's clock on: what is due happens before this returns. */
  advance(seconds: number): void
  /** Its kubelet does not answer any more: running execs fall silent, pods on it can't be deleted. */
  nodeGone(node: string): void
  /** It is there again, and its kubelet takes away what was to be deleted meanwhile. */
  nodeBack(node: string): void
  /** Cuts every connection and takes none until `mend`. */
  cut(): void
  mend(): void
  /** Makes the pages of lists that were begun answer 410. */
  compact(): void
  close(): Promise<void>
}

export async function fakeCluster(setup: FakeSetup = {}): Promise<FakeCluster> {
  const { allowed = () => true, protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'], fault = () => undefined } = setup
  const clock = makeClock()
  const gone = new Set<string>()
  const objects = makeObjects([...(setup.objects ?? []), ...(setup.nodes ?? []).map(nodeObject)], clock.now)
  const execs = makeExecs(setup.exec ?? (() => ({ kind: 'fail', message: 'this test runs nothing' })), protocols)
  const admit = setup.admit ?? (() => undefined)
  const controllers = makeControllers({
    objects,
    clock,
    gone,
    admit,
    startMs: setup.startMs ?? 20,
    pull: setup.pull ?? (() => undefined),
    ended: (pod) => execs.end(namespaceOf(pod) ?? '', nameOf(pod)),
  })
  const asked: Asked[] = []
  let served = 0
  let down = false

  const server = createServer((request, response) => {
    const body: Buffer[] = []
    request.on('data', (piece: Buffer) => body.push(piece))
    request.on('end', () => answer(request, response, Buffer.concat(body).toString()))
  })
  // as an API server (k8s.io/apiserver/pkg/server/secure_serving.go): after Node's 5 s, a client that is busy may send into a connection that closes
  server.keepAliveTimeout = 90_000
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    if (down) socket.destroy()
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (request, socket, head) => upgrade(request, socket, head))

  function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const reply = (code: number, said: object | string): void => {
      const text = typeof said === 'string' ? said : JSON.stringify(said)
      served += text.length
      response.writeHead(code, { 'content-type': 'application/json' })
      response.end(text)
    }
    const at = whereOf(url.pathname)
    if (!at) return void reply(...discovery(url.pathname, [...objects.places(), ...(setup.serves ?? [])]))
    const verb = verbOf(request.method ?? 'GET', at.name, url.searchParams)
    const right = note(verb, at, url)
    const wrong = fault(right)
    if (wrong?.kind === 'hang') return
    if (wrong?.kind === 'status') return void reply(...refusal(wrong.status, wrong.message))
    if (wrong?.kind === 'cut') {
      if (wrong.afterBytes) response.writeHead(200, { 'content-type': 'application/json' }).write('{"items":['.padEnd(wrong.afterBytes))
      setImmediate(() => response.destroy())
      return
    }
    if (at.plural === 'selfsubjectaccessreviews') return void reply(201, review(rec(JSON.parse(body))))
    if (!allowed(right)) return void reply(...forbidden(right))
    if (verb === 'list' && isTiered(at)) return void reply(...tieredList(at, right, url.searchParams))
    if (verb === 'watch') watch(at, response)
    else reply(...act(verb, at, url.searchParams, body))
  }

  function note(verb: string, at: Where, url: URL): Asked {
    const { group, plural, subresource, namespace, name } = at
    const resource = subresource === undefined ? plural : `${plural}/${subresource}`
    const right = { verb, group, resource, ...(namespace !== undefined && { namespace }), ...(name !== undefined && { name }) }
    const one = { ...right, path: `${url.pathname}${url.search}` }
    asked.push(one)
    return one
  }

  function review(object: Json): Json {
    const { verb, group, resource, subresource, namespace, name } = rec(rec(object.spec).resourceAttributes)
    const right = {
      verb: str(verb) ?? '',
      group: str(group) ?? '',
      resource: [str(resource) ?? '', ...(str(subresource) ? [str(subresource)] : [])].join('/'),
      ...(str(namespace) && { namespace: str(namespace) as string }),
      ...(str(name) && { name: str(name) as string }),
    }
    return { ...object, status: { allowed: allowed(right) } }
  }

  function act(verb: string, at: Where, query: URLSearchParams, body: string): readonly [number, object | string] {
    const { namespace, name = '' } = at
    if (verb === 'list') {
      const page = objects.page(at, namespace, query)
      return [page.status, page.text]
    }
    if (verb === 'create') {
      const object = rec(JSON.parse(body))
      if (namespace !== undefined && !objects.get({ group: '', version: 'v1', plural: 'namespaces' }, undefined, namespace))
        return notFound('namespaces', namespace)
      const why = admit(object)
      if (why !== undefined) return refusal(403, `${at.plural} "${nameOf(object)}" is forbidden: ${why}`, { reason: 'Forbidden' })
      if (query.get('dryRun') === 'All') return [201, object]
      const made = objects.add(at, { ...object, metadata: { ...rec(object.metadata), ...(namespace !== undefined && { namespace }) } })
      if (!made) return refusal(409, `${at.plural} "${nameOf(object)}" already exists`, { reason: 'AlreadyExists' })
      if (at.plural === JOBS.plural && at.group === JOBS.group) controllers.job(made)
      if (at.plural === PODS.plural && at.group === '') controllers.pod(made)
      return [201, made]
    }
    const found = objects.get(at, namespace, name)
    if (verb === 'deletecollection') return deleteAll(at, query, body)
    if (!found) return notFound(at.plural, name)
    if (verb === 'get') return [200, found]
    if (verb === 'patch' || verb === 'update') return [200, objects.change(at, found, rec(JSON.parse(body)))]
    controllers.remove(at, found, propagationOf(query, body))
    return [200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }]
  }

  function tieredList(at: Where, right: Right, query: URLSearchParams): readonly [number, object | string] {
    const tiers = objects.all({ ...at, plural: 'tiers' }).map(nameOf)
    const visible = tiers.filter((tier) => seesTier(allowed, right, tier))
    if (tiers.length > 0 && visible.length === 0) return forbidden(right)
    const page = objects.page(at, at.namespace, query, (policy) => visible.includes(tierOf(policy)))
    return [page.status, page.text]
  }

  function deleteAll(at: Where, query: URLSearchParams, body: string): readonly [number, object] {
    const page = rec(JSON.parse(objects.page(at, at.namespace, query).text))
    for (const item of arr(page.items).map(rec)) {
      const found = objects.get(at, namespaceOf(item), nameOf(item))
      if (found) controllers.remove(at, found, propagationOf(query, body))
    }
    return [200, page]
  }

  function watch(at: Where, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    const forget = objects.heard(at, (event) => {
      if (at.namespace === undefined || namespaceOf(event.object) === at.namespace) response.write(`${JSON.stringify(event)}\n`)
    })
    response.on('close', forget)
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const at = whereOf(url.pathname)
    socket.on('error', () => undefined)
    const right = at && note('get', at, url)
    const wrong = right && fault(right)
    if (wrong && wrong.kind !== 'status' && !wrong.afterBytes) {
      if (wrong.kind === 'cut') socket.destroy()
      return
    }
    const exec = at && right ? execOf(at, right, url, wrong) : refusal(404, 'the server could not find the requested resource')
    if (Array.isArray(exec)) {
      const [code, body] = exec as Refusal
      const text = JSON.stringify(body)
      const headers = `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close`
      socket.end(`HTTP/1.1 ${code} Refused\r\n${headers}\r\n\r\n${text}`)
    } else {
      execs.accept({ request, socket, head }, exec as ExecAt, wrong as ExecFault | undefined, (bytes) => {
        served += bytes
      })
    }
  }

  function execOf(at: Where, right: Right, url: URL, wrong: Fault | undefined): ExecAt | Refusal {
    if (wrong?.kind === 'status') return refusal(wrong.status, wrong.message)
    // since 1.35 a websocket needs the right to create as well (AuthorizePodWebsocketUpgradeCreatePermission)
    for (const verb of ['get', 'create']) if (!allowed({ ...right, verb })) return forbidden({ ...right, verb })
    const { plural, subresource, namespace = '', name = '' } = at
    const pod = objects.get(PODS, namespace, name)
    if (plural !== 'pods' || subresource !== 'exec' || !pod) return notFound(plural, name)
    const node = str(rec(pod.spec).nodeName) ?? ''
    const names = arr(rec(pod.spec).containers).flatMap((one) => str(rec(one).name) ?? [])
    const container = url.searchParams.get('container') ?? names[0] ?? ''
    if (!names.includes(container)) return refusal(400, `container ${container} is not valid for pod ${name}`, { reason: 'BadRequest' })
    if (gone.has(node)) return refusal(500, 'error dialing backend: dial tcp 192.0.2.1:10250: connect: no route to host')
    if (rec(pod.status).phase !== 'Running') return refusal(500, `unable to upgrade connection: container not found ("${container}")`)
    return { namespace, pod: name, container, node, argv: url.searchParams.getAll('command'), object: pod }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { kubeconfig, remove } = writeKubeconfig(url)
  const cut = (): void => {
    down = true
    for (const socket of sockets) socket.destroy()
  }
  return {
    url,
    kubeconfig,
    asked,
    served: () => served,
    left: (plural) => objects.all(plural === 'jobs' ? JOBS : { group: '', version: 'v1', plural }),
    advance: (seconds) => clock.advance(seconds * 1000),
    nodeGone(node) {
      gone.add(node)
      execs.freeze(node)
    },
    nodeBack(node) {
      gone.delete(node)
      for (const pod of objects.all(PODS)) {
        if (rec(pod.spec).nodeName === node && rec(pod.metadata).deletionTimestamp !== undefined) controllers.remove(PODS, pod, undefined)
      }
    },
    cut,
    mend() {
      down = false
    },
    compact: () => objects.compact(),
    async close() {
      cut()
      clock.stop()
      await execs.close()
      await new Promise((done) => server.close(done))
      remove()
    },
  }
}

const nodeObject = (name: string, index: number): Json => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
  spec: {},
  status: {
    addresses: [{ type: 'InternalIP', address: `192.0.2.${(index % 250) + 1}` }],
    conditions: [{ type: 'Ready', status: 'True' }],
  },
})
