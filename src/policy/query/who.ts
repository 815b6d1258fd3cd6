import type { EndpointRef, ObjectKind } from '../../cluster/endpoint-syntax.ts'
import { NetctlError } from '../../error.ts'
import { nearest } from '../../nearest.ts'
import type { Ip } from '../../net/ip.ts'
import type { End } from '../flow.ts'
import { placesOf } from '../places.ts'
import type { Endpoint, PolicyWorld } from '../world.ts'
import { endOf, resolveEnd } from './ends.ts'

/** The end of that name, as answers have it (`ns/pod`, `ns/name[Deployment]`, `hep:NAME`, `node/NAME`), or an address. Throws `PWH001`. */
export function endNamed(world: PolicyWorld, text: string): End {
  // other tools name pods as they name workloads
  const end = resolveEnd(world, text.endsWith('[Pod]') ? text.slice(0, -'[Pod]'.length) : text)
  if (end) return end
  const near = nearest(text, [...world.endpoints.map((e) => e.id), ...world.hostPods.keys(), ...world.nodes.map((n) => `node/${n.name}`)])
  throw missing(`there is no “${text}”`, near)
}

/** Who gets packets to an address: the pod that has it, else the address itself. */
export function endAt(world: PolicyWorld, ip: Ip): End {
  const owner = placesOf(world)
    .byAddress.get(ip.text)
    ?.map((index) => world.endpoints[index])
    .find((endpoint) => endpoint !== undefined && endpoint.kind !== 'host')
  return owner ? { ...endOf(owner), addresses: [ip] } : endNamed(world, ip.text)
}

/** Everyone who is meant by what was typed: one, or all pods of a workload. A Service is none of this function's business. Throws `PWH001`. */
export function endsTyped(world: PolicyWorld, { target, text }: EndpointRef, namespace: string): readonly End[] {
  if (target.kind === 'address') return [endAt(world, target.ip)]
  const home = target.namespace ?? namespace
  if (target.kind === 'bare') return [endNamed(world, target.name.startsWith('hep:') ? target.name : `${home}/${target.name}`)]
  switch (target.type) {
    case 'pod':
      return [endNamed(world, `${home}/${target.name}`)]
    case 'node':
      return [endNamed(world, `node/${target.name}`)]
    case 'svc':
      throw new NetctlError({ code: 'PWH002', message: `“${text}” is a Service: policies know only the pods behind it` })
    case 'external':
      throw new NetctlError({
        code: 'PWH002',
        message: `“${text}”: manifests know no hosts outside by name`,
        try: 'name it by its address',
      })
    default:
      return workload(world, target.type, `${home}/${target.name}`)
  }
}

type Workload = Exclude<ObjectKind, 'pod' | 'svc' | 'node' | 'external'>

const KINDS: Readonly<Record<Workload, string>> = {
  deploy: 'Deployment',
  sts: 'StatefulSet',
  ds: 'DaemonSet',
  job: 'Job',
  rs: 'ReplicaSet',
}

const indexes = new WeakMap<PolicyWorld, ReadonlyMap<string, readonly Endpoint[]>>()

function workload(world: PolicyWorld, type: Workload, name: string): readonly End[] {
  let index = indexes.get(world)
  if (!index) indexes.set(world, (index = workloadsOf(world)))
  const key = `${name}[${KINDS[type]}]`
  const found = index.get(key)
  if (found) return found.map((endpoint) => endOf(endpoint))
  const suffix = `[${KINDS[type]}]`
  const near = nearest(
    name,
    [...index.keys()].filter((k) => k.endsWith(suffix)).map((k) => k.slice(0, -suffix.length)),
  )
  throw missing(
    `there is no ${KINDS[type]} “${name}” with pods`,
    near.map((n) => `${type}/${n}`),
  )
}

/** Pods by `ns/name[Kind]` of their workload; a workload without pods stands for them. */
function workloadsOf(world: PolicyWorld): ReadonlyMap<string, readonly Endpoint[]> {
  const index = new Map<string, Endpoint[]>()
  const add = (key: string, endpoint: Endpoint): void => {
    const list = index.get(key)
    if (list) list.push(endpoint)
    else index.set(key, [endpoint])
  }
  for (const endpoint of world.endpoints) {
    if (endpoint.kind === 'workload') add(endpoint.id, endpoint)
    const { owner, namespace } = endpoint
    if (!owner) continue
    add(`${namespace}/${owner.name}[${owner.kind}]`, endpoint)
    // a Deployment's pods belong to a ReplicaSet called after it
    const deployment = owner.kind === 'ReplicaSet' ? /^(.+)-[a-z0-9]+$/.exec(owner.name)?.[1] : undefined
    if (deployment !== undefined) add(`${namespace}/${deployment}[Deployment]`, endpoint)
  }
  return index
}

const missing = (message: string, near: readonly string[]): NetctlError =>
  new NetctlError({
    code: 'PWH001',
    message,
    try: near.length > 0 ? near.join(', or ') : 'NAMESPACE/POD, NAMESPACE/NAME[KIND], node/NAME, hep:NAME, an address',
  })
