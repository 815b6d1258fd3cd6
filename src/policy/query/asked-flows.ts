import { type EndpointRef, portText } from '../../cluster/endpoint-syntax.ts'
import { leadsByName } from '../../cluster/external-name.ts'
import { ResolveError } from '../../cluster/inventory.ts'
import { type ChosenPort, choosePort, type KnownPort } from '../../cluster/ports.ts'
import type { Service, ServicePort } from '../../cluster/types.ts'
import { NetctlError } from '../../error.ts'
import type { End, PolicyFlow } from '../flow.ts'
import { protocolName, protocolNumber } from '../protocols.ts'
import { backendsOf, type Scene } from './services.ts'
import { parseEnd } from './typed-end.ts'
import { endsTyped } from './who.ts'

/** What is asked beside the two ends. */
export type FlowDetails = Pick<PolicyFlow, 'sourcePort' | 'class' | 'staged'>

export interface AskedFlows {
  /** one a port and backend */
  readonly flows: readonly PolicyFlow[]
  /** what was chosen on the user's behalf */
  readonly notes: readonly string[]
}

/**
 * The flows that a source, a destination and ports (`80/tcp`, a name, `icmp`) as typed stand for: a Service for its backends, a workload for
 * one of its pods. Throws NetctlError (NAM…, PWH…) for what is not there, and where a port has to be said.
 */
export function askedFlows(scene: Scene, from: string, to: string, ports: readonly string[], details: FlowDetails): AskedFlows {
  const source = oneOf(senders(scene, from), from)
  const refs = ports.length === 0 ? [to] : ports.map((port) => withPort(to, port))
  const notes = [...source.notes]
  const flows = refs.flatMap((text) => {
    const targets = targetsOf(scene, text, notes)
    return targets.map((target) => ({ source: source.end, ...target, ...details }))
  })
  return { flows, notes: [...new Set(notes)] }
}

function senders({ world, namespace }: Scene, text: string): readonly End[] {
  const ref = parseEnd(text)
  if (ref.port !== undefined || ref.proto !== undefined)
    throw new ResolveError(
      'syntax',
      `“${text}” is the source: its port is not chosen here`,
      [],
      'leave the port out; the destination says port and protocol',
    )
  return endsTyped(world, ref, namespace)
}

/** `pod/shop/db` and `5432/tcp` → `pod/shop/db:5432/tcp` */
function withPort(to: string, port: string): string {
  const word = port.toLowerCase()
  const ref = parseEnd(to)
  if (ref.port !== undefined || ref.proto !== undefined)
    throw new NetctlError({ code: 'USE012', message: `--port ${port}, and ${to} has one too`, try: 'say the port once' })
  if (word === 'icmp' || word === 'icmpv6') return `${to}/icmp`
  return `${ref.target.kind === 'address' && ref.target.ip.family === 6 && !to.startsWith('[') ? `[${to}]` : to}:${port}`
}

type FlowTarget = Pick<PolicyFlow, 'destination' | 'protocol' | 'port'>

function targetsOf(scene: Scene, text: string, notes: string[]): readonly FlowTarget[] {
  const ref = parseEnd(text)
  if (ref.target.kind === 'object' && ref.target.type === 'svc') return backends(scene, ref, notes)
  const { end, notes: more } = oneOf(endsTyped(scene.world, ref, scene.namespace), text)
  notes.push(...more)
  if (ref.target.kind === 'address' && end.endpoint) notes.push(`${ref.target.ip.text} is ${end.id}`)
  // what choices put a port behind
  const shown =
    ref.target.kind === 'address' && ref.target.ip.family === 6
      ? `[${ref.target.ip.text}]`
      : text.replace(/(?::[\w-]+)?(?:\/(?:tcp|udp|sctp))?$/i, '')
  return [{ destination: end, ...chosen(choosePort(ref, knownPorts(end), end.id, shown)) }]
}

function backends({ world, services, namespace }: Scene, ref: EndpointRef, notes: string[]): readonly FlowTarget[] {
  if (ref.target.kind !== 'object') return []
  const name = `${ref.target.namespace ?? namespace}/${ref.target.name}`
  const service = services.byName.get(name)
  if (!service)
    throw new NetctlError({
      code: 'PWH001',
      message: `there is no service “${name}”`,
      try: [...services.byName.keys()]
        .slice(0, 5)
        .map((n) => `svc/${n}`)
        .join(', '),
    })
  const elsewhere = leadsByName(service, services.byName.values(), portText(ref))
  if (elsewhere) throw elsewhere
  const port = servicePort(service, choosePort(ref, service.ports, `svc/${name}`, `svc/${name}`))
  const found = backendsOf(world, services, service, port)
  if (found.length === 0)
    throw new NetctlError({
      code: 'PWH003',
      message: `svc/${name}:${port.port} leads nowhere: it has no ready backends`,
      try: 'name a pod, or give the manifests of its pods too',
    })
  notes.push(`svc/${name}:${port.port} leads to ${found.length === 1 ? found[0]?.end.id : `${found.length} backends`}`)
  return found.map(({ end, protocol, port: number }) => ({ destination: end, protocol, port: number }))
}

function servicePort(service: Service, { proto, port }: ChosenPort): ServicePort {
  const found = service.ports.find((p) => p.port === port && p.protocol === proto)
  if (found) return found
  throw new ResolveError(
    'port',
    `svc/${service.namespace}/${service.name} has no port ${port}/${proto}`,
    service.ports.map((p) => ({ value: `svc/${service.namespace}/${service.name}:${p.port}`, label: String(p.port) })),
  )
}

function knownPorts({ endpoint }: End): readonly KnownPort[] {
  return (endpoint?.ports ?? []).flatMap(({ name, protocol, port }) => {
    const word = protocolName(protocol).toLowerCase()
    return word === 'tcp' || word === 'udp' || word === 'sctp' ? [{ ...(name !== '' && { name }), port, protocol: word }] : []
  })
}

const chosen = ({ proto, port }: ChosenPort): Pick<PolicyFlow, 'protocol' | 'port'> => ({
  protocol: protocolNumber(proto) as number,
  ...(port !== undefined && { port }),
})

function oneOf(ends: readonly End[], text: string): { readonly end: End; readonly notes: readonly string[] } {
  const [end, ...others] = ends
  if (!end) throw new NetctlError({ code: 'PWH001', message: `there is no “${text}”` })
  return { end, notes: others.length > 0 ? [`${text}: ${end.id}, one of its ${ends.length} pods`] : [] }
}
