import { NetctlError } from '../../error.ts'
import { findJsonError } from '../../kernel/json-error.ts'
import { eachLine } from '../../kernel/lines.ts'
import { ParseError } from '../../kernel/source.ts'
import { parseIp } from '../../net/ip.ts'
import type { End, FlowClass, PolicyFlow } from '../flow.ts'
import { hasPorts, protocolNumber } from '../protocols.ts'
import type { Backend } from './services.ts'

/** One line of `--flows`. */
export interface FlowLine {
  readonly line: number
  readonly id?: string | number
  readonly flow: PolicyFlow
  /** where the destination is a Service's: its name, and the flows to its backends, for policies see those */
  readonly service?: { readonly name: string; readonly flows: readonly PolicyFlow[] }
}

/** How names and addresses become ends. */
export interface EndFinder {
  /** by name, or a bare address, which stays one */
  readonly named: (text: string) => End
  /** what packets to an address meet: the pod that has it */
  readonly at: (address: string) => End
  /** the Service behind an address and port, if one is */
  readonly behind: (address: string, protocol: number, port: number) => ServiceBackends | undefined
}

export interface ServiceBackends {
  readonly name: string
  readonly backends: readonly Backend[]
}

const CLASSES: readonly FlowClass[] = ['normal', 'untracked', 'preDNAT', 'forward']

/**
 * Reads flow lines, one JSON object a line, blank lines left out, unknown keys ignored:
 * `{"src": "ns/pod", "dst": "10.0.0.9", "protocol": "TCP", "port": 80}` (without a port, what holds whatever it is), or those of
 * trace: `{"from": {"kind": "pod", "name": "ns/pod"}, "proto": "tcp", "dst": "10.0.0.9", "port": 80}`. Throws ParseError with the number of the first bad line, before anything is judged.
 */
export function parseFlowLines(text: string, file: string, ends: EndFinder): readonly FlowLine[] {
  const known = new Map<string, End>()
  const find = (by: 'named' | 'at', name: string): End => {
    const key = `${by} ${name}`
    let end = known.get(key)
    if (!end) known.set(key, (end = ends[by](name)))
    return end
  }
  const flows: FlowLine[] = []
  eachLine(text, (row, line) => {
    flows.push(
      parseLine(row, line, find, ends, (message) => {
        throw new ParseError(file, line, message)
      }),
    )
  })
  return flows
}

type Find = (by: 'named' | 'at', name: string) => End
type Fail = (message: string) => never

function parseLine(row: string, line: number, find: Find, ends: EndFinder, fail: Fail): FlowLine {
  let json: unknown
  try {
    json = JSON.parse(row)
  } catch {
    return fail(
      `not JSON: ${findJsonError(row).message}; expected a flow, {"src": "shop/web", "dst": "shop/db", "protocol": "TCP", "port": 5432}`,
    )
  }
  if (!isRecord(json)) return fail('expected an object')
  const { id } = json
  if (id !== undefined && id !== null && typeof id !== 'string' && typeof id !== 'number') return fail('id: expected text or a number')
  const ofTrace = json.from !== undefined && json.src === undefined
  const flow = ofTrace ? traceFlow(json, find, fail) : policyFlow(json, find, fail)
  const [address] = flow.destination.addresses
  const service = ofTrace && address && flow.port !== undefined ? ends.behind(address.text, flow.protocol, flow.port) : undefined
  return {
    line,
    ...((typeof id === 'string' || typeof id === 'number') && { id }),
    flow,
    ...(service && {
      service: {
        name: service.name,
        flows: service.backends.map(({ end, protocol, port }) => ({ ...flow, destination: end, protocol, port })),
      },
    }),
  }
}

function policyFlow(json: Readonly<Record<string, unknown>>, find: Find, fail: Fail): PolicyFlow {
  const end = (key: 'src' | 'dst'): End => {
    const said = json[key]
    if (typeof said !== 'string' || said === '') return fail(`${key}: expected "NAMESPACE/POD", "NAMESPACE/NAME[KIND]" or an address`)
    return found(key, () => find('named', said), fail)
  }
  const protocol = protocolOf('protocol', json.protocol ?? 'TCP', fail)
  const flowClass = json.class ?? undefined
  if (flowClass !== undefined && !CLASSES.includes(flowClass as FlowClass)) return fail(`class: expected ${CLASSES.join(', ')}`)
  const staged = json.staged ?? false
  if (typeof staged !== 'boolean') return fail('staged: expected true or false')
  const sourcePort = whole(json, 'srcPort', 1, 65535, fail)
  const icmpType = whole(json, 'icmpType', 0, 255, fail)
  const icmpCode = whole(json, 'icmpCode', 0, 255, fail)
  return {
    source: end('src'),
    destination: end('dst'),
    protocol,
    ...portOf(json, protocol, fail),
    ...(sourcePort !== undefined && { sourcePort }),
    ...(icmpType !== undefined && { icmpType }),
    ...(icmpCode !== undefined && { icmpCode }),
    ...(flowClass !== undefined && { class: flowClass as FlowClass }),
    ...(staged && { staged }),
  }
}

/** A line as `netctl trace --flows` reads it: its destination is an address, at which packets meet whoever has it. */
function traceFlow(json: Readonly<Record<string, unknown>>, find: Find, fail: Fail): PolicyFlow {
  const { from, dst } = json
  if (!isRecord(from)) return fail('from: expected an object, {"kind": "pod", "name": "NAMESPACE/NAME"}')
  const { kind, name } = from
  const ip = [from.ip, from.ip6].find((x): x is string => typeof x === 'string' && x !== '')
  if (kind !== 'pod' && kind !== 'node' && kind !== 'external') return fail('from.kind: expected pod, node, external')
  if (name !== undefined && name !== null && typeof name !== 'string') return fail('from.name: expected text')
  const target = typeof dst === 'string' ? parseIp(dst) : undefined
  if (!target) return fail('dst: expected an address')
  // an outside host goes by its addresses; of two, by that of the destination's family
  const outside =
    [from.ip, from.ip6].map((x) => (typeof x === 'string' ? parseIp(x) : undefined)).find((x) => x?.family === target.family)?.text ?? ip
  const sender = kind === 'external' || typeof name !== 'string' ? outside : kind === 'node' ? `node/${name}` : name
  if (sender === undefined) return fail('from: expected a name or an ip')
  const protocol = protocolOf('proto', json.proto, fail)
  const port = portOf(json, protocol, fail)
  if (hasPorts(protocol) && port.port === undefined) return fail('port: expected a number between 1 and 65535')
  return {
    source: found('from', () => find('named', sender), fail),
    destination: found('dst', () => find('at', target.text), fail),
    protocol,
    ...port,
  }
}

/** Resolves an end; a name that is not there is told with the line. */
function found(key: string, find: () => End, fail: Fail): End {
  try {
    return find()
  } catch (error) {
    if (error instanceof NetctlError) return fail(`${key}: ${error.message}${error.try === undefined ? '' : ` (try ${error.try})`}`)
    throw error
  }
}

function protocolOf(key: string, said: unknown, fail: Fail): number {
  const number = typeof said === 'string' || typeof said === 'number' ? protocolNumber(said) : undefined
  return number ?? fail(`${key}: expected TCP, UDP, SCTP, ICMP or a number up to 255`)
}

function portOf(json: Readonly<Record<string, unknown>>, protocol: number, fail: Fail): Pick<PolicyFlow, 'port'> {
  const port = whole(json, 'port', 1, 65535, fail)
  return port === undefined || !hasPorts(protocol) ? {} : { port }
}

function whole(json: Readonly<Record<string, unknown>>, key: string, lo: number, hi: number, fail: Fail): number | undefined {
  const value = json[key]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value) || value < lo || value > hi)
    return fail(`${key}: expected a number between ${lo} and ${hi}`)
  return value
}

const isRecord = (x: unknown): x is Record<string, unknown> => typeof x === 'object' && x !== null && !Array.isArray(x)
