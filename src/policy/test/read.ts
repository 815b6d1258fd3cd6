import * as v from 'valibot'
import type { EndpointRef } from '../../cluster/endpoint-syntax.ts'
import type { ManifestObject } from '../../cluster/manifest/types.ts'
import { hasPorts, protocolNumber } from '../protocols.ts'
import { parseEnd } from '../query/typed-end.ts'
import { fields, integer, list, type Of, oneOf, optional, read, type Say, text, texts } from '../resources/schema.ts'
import { glob } from './glob.ts'
import { refuseDocument } from './refuse.ts'
import type { EndPattern, Expectation, LabelPattern, PolicyTest, PortPattern, PortRef } from './types.ts'

/** Reads a PolicyTest, as strictly as an API server would. Throws NetctlError (`PTE001`) with the line and field of what is wrong. */
export function readPolicyTest(object: ManifestObject): PolicyTest {
  const found = read(policyTest, object.value)
  if ('problems' in found) return refuseDocument(object, found.problems)
  const { metadata, spec } = found.value
  return {
    object,
    name: metadata.name,
    manifests: spec.manifests,
    expectations: spec.tests.map((test, index) => expectation(object, index, test)),
  }
}

const endpoint = text((said) => {
  if (isPattern(said)) return globProblem(said)
  try {
    parseEnd(said)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
})

const selection = fields(
  {
    any: optional(v.literal(true)),
    namespace: optional(text()),
    name: optional(text()),
    labels: optional(texts(), {}),
    namespaceLabels: optional(texts(), {}),
  },
  (said, say) => {
    const narrowed =
      said.namespace !== undefined || said.name !== undefined || [said.labels, said.namespaceLabels].some((l) => Object.keys(l).length > 0)
    if (said.any && narrowed) say(['any'], 'must stand alone: it means every pod')
    if (!said.any && !narrowed) say([], 'selects nothing in particular', 'any: true means every pod')
  },
)

/** An endpoint as it is typed, or a selection of pods. */
const end = v.lazy(
  (said) => (typeof said === 'string' ? endpoint : selection) as v.GenericSchema<unknown, Of<typeof endpoint> | Of<typeof selection>>,
)

const protocol = v.lazy(
  (said) => (typeof said === 'number' ? integer(0, 255) : text(protocolProblem)) as v.GenericSchema<unknown, string | number>,
)

const port = v.lazy(
  (said) => (typeof said === 'number' ? integer(1, 65535) : text(portProblem)) as v.GenericSchema<unknown, string | number>,
)

const ports = v.lazy(
  (said) => (said === 'all' ? v.literal('all') : list(port, { min: 1 })) as v.GenericSchema<unknown, 'all' | readonly (string | number)[]>,
)

const testFields = {
  name: optional(text()),
  from: end,
  to: end,
  port: optional(port),
  ports: optional(ports),
  protocol: optional(protocol),
  expect: oneOf(['allow', 'deny']),
  by: optional(
    text((said) =>
      /^[^/\s]+(\/[^/\s]+)?$/.test(said) ? undefined : `must be NAME or NAMESPACE/NAME of a policy, not ${JSON.stringify(said)}`,
    ),
  ),
  staged: optional(v.boolean(), false),
}

type Test = Of<ReturnType<typeof fields<typeof testFields>>>

const policyTest = fields({
  apiVersion: text(),
  kind: text(),
  metadata: optional(fields({ name: optional(text(), '') }), {}),
  spec: fields({ manifests: optional(list(text()), []), tests: list(fields(testFields, checkPorts), { min: 1 }) }),
})

/** A port is said once: in `to`, by `port` or by `ports`; a protocol, too. */
function checkPorts({ from, to, port, ports, protocol }: Test, say: Say): void {
  const sender = typedRef(from)
  if (sender?.port !== undefined || sender?.proto !== undefined) say(['from'], 'must have no port: it is the destination that has one')
  if (sender?.target.kind === 'object' && sender.target.type === 'svc')
    say(['from'], 'must not be a Service, which sends nothing', 'name the pods behind it')
  const ref = typedRef(to)
  if (port !== undefined && ports !== undefined) say(['port'], 'must not stand beside ports')
  if (ref?.port !== undefined && (port !== undefined || ports !== undefined))
    say([port !== undefined ? 'port' : 'ports'], `must not be there: to says port ${ref.port}`)
  if (ref?.proto !== undefined && protocol !== undefined) say(['protocol'], `must not be there: to says ${ref.proto}`)
  if (protocol === undefined) return
  const number = protocolNumber(protocol) as number
  if (ports === 'all') say(['protocol'], 'must not stand beside ports: all, which means TCP, UDP and SCTP')
  if (!hasPorts(number) && (port !== undefined || ports !== undefined))
    say(['protocol'], `must not be ${protocol} beside a port: it has none`)
  for (const [path, one] of [
    [['port'], port] as const,
    ...(ports === undefined || ports === 'all' ? [] : ports.map((p, i) => [['ports', i], p] as const)),
  ])
    if (typeof one === 'string' && one.includes('/')) say([...path], 'must not say the protocol again')
}

function expectation(object: ManifestObject, index: number, said: Test): Expectation {
  const to = endPattern(said.to)
  return {
    test: object,
    index,
    ...(said.name !== undefined && { name: said.name }),
    from: endPattern(said.from),
    to,
    ports: portPattern(said, to),
    expect: said.expect,
    ...(said.by !== undefined && { by: said.by }),
    staged: said.staged,
  }
}

function endPattern(said: Test['from']): EndPattern {
  if (typeof said !== 'string') {
    const { any, namespace, name, labels, namespaceLabels } = said
    const parts = [
      ...(any ? ['any pod'] : []),
      ...(namespace === undefined ? [] : [`namespace ${namespace}`]),
      ...(name === undefined ? [] : [`name ${name}`]),
      ...Object.entries(labels).map(([key, value]) => `${key}=${value}`),
      ...Object.entries(namespaceLabels).map(([key, value]) => `namespace's ${key}=${value}`),
    ]
    return {
      kind: 'pods',
      text: parts.join(', '),
      ...(namespace !== undefined && { namespace: glob(namespace) }),
      ...(name !== undefined && { name: glob(name) }),
      labels: patterns(labels),
      namespaceLabels: patterns(namespaceLabels),
    }
  }
  if (!isPattern(said)) return { kind: 'typed', text: said, ref: parseEnd(said) }
  const [name = '', namespace = ''] = said.split('/').reverse()
  return { kind: 'pods', text: said, namespace: glob(namespace), name: glob(name), labels: [], namespaceLabels: [] }
}

const patterns = (labels: Readonly<Record<string, string>>): readonly LabelPattern[] =>
  Object.entries(labels).map(([key, value]) => ({ key, value: glob(value) }))

function portPattern({ port, ports, protocol }: Test, to: EndPattern): PortPattern {
  if (ports === 'all') return { kind: 'all' }
  const number = protocol === undefined ? undefined : protocolNumber(protocol)
  const said = ports ?? (port === undefined ? [] : [port])
  if (said.length > 0) return { kind: 'list', ports: said.map((p) => portRef(p, number)) }
  if (to.kind === 'typed' && (to.ref.port !== undefined || to.ref.proto !== undefined)) {
    const typed = to.ref.proto === undefined ? number : protocolNumber(to.ref.proto)
    return {
      kind: 'list',
      ports: [{ ...(typed !== undefined && { protocol: typed }), ...(to.ref.port !== undefined && { port: portOf(to.ref.port) }) }],
    }
  }
  return number === undefined ? { kind: 'declared' } : { kind: 'list', ports: [{ protocol: number }] }
}

function portRef(said: string | number, protocol: number | undefined): PortRef {
  const [word = '', written] = String(said).split('/')
  const number = written === undefined ? protocol : protocolNumber(written)
  return { ...(number !== undefined && { protocol: number }), port: portOf(word) }
}

const portOf = (word: string): number | string => (/^\d+$/.test(word) ? Number(word) : word)

/** What was typed, if it is an endpoint at all: what is wrong with it is told where it stands. */
function typedRef(said: Test['from']): EndpointRef | undefined {
  if (typeof said !== 'string' || isPattern(said)) return undefined
  try {
    return parseEnd(said)
  } catch {
    return undefined
  }
}

/** `ns/pod*`: names with a star in them. */
const isPattern = (said: string): boolean => said.includes('*')

const globProblem = (said: string): string | undefined =>
  /^(?:pods?\/)?[^/:]+\/[^/:]+$/.test(said) ? undefined : 'with a * it must be NAMESPACE/NAME of pods, and ports are said by port or ports'

const protocolProblem = (said: string): string | undefined =>
  protocolNumber(said) === undefined ? `must be TCP, UDP, SCTP, ICMP or a number up to 255, not ${JSON.stringify(said)}` : undefined

function portProblem(said: string): string | undefined {
  const [, word = '', proto] = /^([A-Za-z0-9-]{1,15})(?:\/([A-Za-z]+))?$/.exec(said) ?? []
  if (word === '') return `must be a port number or name, like 80, http or 53/udp, not ${JSON.stringify(said)}`
  if (/^\d+$/.test(word) && (Number(word) < 1 || Number(word) > 65535)) return `must be a port from 1 to 65535, not ${word}`
  if (proto === undefined) return undefined
  const number = protocolNumber(proto)
  return number !== undefined && hasPorts(number) ? undefined : `must be followed by tcp, udp or sctp, not ${proto}`
}
