import { positionOf } from '../../cluster/manifest/position.ts'
import type { End, PolicyFlow } from '../../policy/flow.ts'
import type { Origin, Policy } from '../../policy/model.ts'
import { hasPorts, protocolName } from '../../policy/protocols.ts'
import { socketName } from '../names.ts'

/** A place in a file, as reports give it. */
export interface FilePlace {
  readonly file: string
  readonly line: number
}

const places = new WeakMap<Origin, FilePlace>()

/** Where something was said; finding the line costs more than a flow, so it is remembered. */
export function placeOf(origin: Origin): FilePlace {
  let place = places.get(origin)
  if (!place) places.set(origin, (place = positionOf(origin.object, origin.path)))
  return place
}

/** `policies.yaml:24` */
export const placeText = ({ file, line }: FilePlace): string => `${file}:${line}`

/** `NetworkPolicy shop/db`; Calico's kind of the same name says whose it is. */
export function policyTitle({ kind, namespace, name, origin }: Policy): string {
  const own = kind === 'NetworkPolicy' ? 'Calico NetworkPolicy' : origin.object.kind
  return `${own} ${namespace === undefined ? name : `${namespace}/${name}`}`
}

const KINDS: Readonly<Record<string, string>> = { Deployment: 'deploy', StatefulSet: 'sts', DaemonSet: 'ds', Job: 'job', ReplicaSet: 'rs' }

/** An end as it could be typed: `pod/shop/db`, `deploy/shop/web`, `203.0.113.9`. */
export function endName({ id, endpoint }: End): string {
  if (endpoint?.kind === 'pod') return `pod/${endpoint.namespace}/${endpoint.name}`
  const kind = endpoint?.kind === 'workload' ? KINDS[/\[(\w+)\]$/.exec(id)?.[1] ?? ''] : undefined
  return kind === undefined ? id : `${kind}/${endpoint?.namespace}/${endpoint?.name}`
}

/** What a rule wants, without the part that every selector of a Kubernetes policy has: that it is of Kubernetes. */
export const wantedText = (wanted: string): string => wanted.replace(/projectcalico\.org\/orchestrator == "k8s" && /g, '')

/** `pod/shop/db:5432/tcp`, `10.0.0.1/icmp` */
export function targetText({ destination, protocol, port }: Pick<PolicyFlow, 'destination' | 'protocol' | 'port'>): string {
  const name = endName(destination)
  const word = protocolName(protocol).toLowerCase()
  return hasPorts(protocol) && port !== undefined ? `${socketName(name, port)}/${word}` : `${name}/${word}`
}
