import { portText } from '../../cluster/endpoint-syntax.ts'
import { leadsByName } from '../../cluster/external-name.ts'
import type { ServicePort } from '../../cluster/types.ts'
import type { End } from '../flow.ts'
import { type PortClass, portClasses, portOf } from '../matrix/ports.ts'
import { hasPorts, PROTOCOLS, protocolName, TCP } from '../protocols.ts'
import { type Backend, backendsOf, type Scene } from '../query/services.ts'
import type { PolicyWorld } from '../world.ts'
import { membersOf, refuseExpectation } from './members.ts'
import type { Expectation, PortRef } from './types.ts'

/** A destination with one of its ports. */
export interface Target {
  readonly end: End
  readonly protocol: number
  readonly port?: number
  /** all the ports that fare alike */
  readonly alike?: PortClass
}

/** Every destination and port that an expectation is about; at least one. Throws NetctlError with the line where it isn't said. */
export function targetsOf(scene: Scene, expectation: Expectation): readonly Target[] {
  const { to, ports } = expectation
  if (to.kind === 'typed' && to.ref.target.kind === 'object' && to.ref.target.type === 'svc') return backends(scene, expectation)
  return membersOf(scene.world, expectation, 'to', scene.namespace).flatMap((end): readonly Target[] => {
    if (ports.kind === 'declared') return declared(expectation, end)
    if (ports.kind === 'list') return ports.ports.flatMap((ref) => portsAt(expectation, end, ref))
    return everyPort(scene.world).map((alike) => ({ end, protocol: alike.protocol, port: portOf(alike) as number, alike }))
  })
}

const known = new WeakMap<PolicyWorld, readonly PortClass[]>()

/** TCP, UDP and SCTP in as many ports as policies tell apart. */
function everyPort(world: PolicyWorld): readonly PortClass[] {
  let classes = known.get(world)
  if (!classes) known.set(world, (classes = portClasses([world]).filter(({ ranges }) => ranges.length > 0)))
  return classes
}

function declared(expectation: Expectation, end: End): readonly Target[] {
  const ports = end.endpoint?.ports ?? []
  if (ports.length > 0) return ports.map(({ protocol, port }) => ({ end, protocol, port }))
  return refuseExpectation(
    expectation,
    ['to'],
    `${end.id} declares no port: which one?`,
    'port: 80, ports: [80, 53/udp], or ports: all for every one',
  )
}

function portsAt(expectation: Expectation, end: End, { protocol, port }: PortRef): readonly Target[] {
  if (port === undefined) {
    const number = protocol ?? TCP
    if (!hasPorts(number)) return [{ end, protocol: number }]
    const own = (end.endpoint?.ports ?? []).filter((p) => p.protocol === number)
    if (own.length > 0) return own.map((p) => ({ end, protocol: number, port: p.port }))
    return refuseExpectation(expectation, ['to'], `${end.id} declares no port of ${protocolName(number)}: which one?`, 'port: 80')
  }
  if (typeof port === 'number') return [{ end, protocol: protocol ?? TCP, port }]
  const named = (end.endpoint?.ports ?? []).filter((p) => p.name === port && (protocol === undefined || p.protocol === protocol))
  if (named.length > 0) return named.map((p) => ({ end, protocol: p.protocol, port: p.port }))
  const names = (end.endpoint?.ports ?? []).map((p) => p.name).filter((name) => name !== '')
  return refuseExpectation(
    expectation,
    ['to'],
    `${end.id} has no port called ${port}`,
    names.length > 0 ? `its ports: ${names.join(', ')}` : 'say the number of the port',
  )
}

function backends({ world, services, namespace }: Scene, expectation: Expectation): readonly Target[] {
  const { to, ports } = expectation
  if (to.kind !== 'typed' || to.ref.target.kind !== 'object') return []
  const name = `${to.ref.target.namespace ?? namespace}/${to.ref.target.name}`
  const service = services.byName.get(name)
  if (!service)
    return refuseExpectation(expectation, ['to'], `there is no service ${name}`, [...services.byName.keys()].slice(0, 8).join(', '))
  const elsewhere = leadsByName(service, services.byName.values(), portText(to.ref))
  if (elsewhere) return refuseExpectation(expectation, ['to'], elsewhere.message, elsewhere.try)
  const fits = (p: ServicePort, { protocol, port }: PortRef): boolean =>
    (protocol === undefined || PROTOCOLS.get(p.protocol.toUpperCase()) === protocol) &&
    (port === undefined || p.port === port || p.name === port)
  const list = (): string => service.ports.map((p) => `${p.name === undefined ? '' : `${p.name} `}${p.port}/${p.protocol}`).join(', ')
  const asked: readonly ServicePort[] =
    ports.kind === 'list'
      ? ports.ports.flatMap((ref) => {
          const found = service.ports.filter((p) => fits(p, ref))
          return found.length > 0
            ? found
            : refuseExpectation(expectation, ['to'], `service ${name} has no such port`, `its ports: ${list()}`)
        })
      : service.ports
  if (ports.kind === 'declared' && asked.length > 1)
    return refuseExpectation(
      expectation,
      ['to'],
      `service ${name} has ${asked.length} ports: which one?`,
      `${to.text}:${asked[0]?.port}, or ports: all for each of them`,
    )
  const found: readonly Backend[] = asked.flatMap((port) => backendsOf(world, services, service, port))
  if (found.length > 0) return found
  return refuseExpectation(
    expectation,
    ['to'],
    `service ${name} has no backends: no ready pod fits its selector`,
    'name the pods, or give their manifests too',
  )
}
