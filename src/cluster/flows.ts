import { findJsonError } from '../kernel/json-error.ts'
import { eachLine } from '../kernel/lines.ts'
import { ParseError } from '../kernel/source.ts'
import { parseIp } from '../net/ip.ts'
import type { Inventory } from './inventory.ts'
import { findPod, hostIps } from './lookup.ts'

/** One line of `--flows`. `flow` fits `Flow`, `expect` `Verdict`. */
export interface FlowLine {
  readonly line: number
  readonly id?: string | number
  readonly flow: {
    readonly from: { readonly kind: 'pod' | 'node' | 'external'; readonly name?: string; readonly ip?: string; readonly ip6?: string }
    readonly proto: 'tcp' | 'udp' | 'sctp' | 'icmp'
    readonly dst: string
    readonly port?: number
    readonly payload?: number
    readonly state?: 'new' | 'established' | 'from-dump'
  }
  readonly expect?: 'delivered' | 'refused' | 'unreachable' | 'dropped' | 'undecided'
}

const KINDS = ['pod', 'node', 'external'] as const
const PROTOCOLS = ['tcp', 'udp', 'sctp', 'icmp'] as const
const VERDICTS = ['delivered', 'refused', 'unreachable', 'dropped', 'undecided'] as const
const STATES = ['new', 'established', 'from-dump'] as const
/** longest UDP payload in an IPv4 packet (65,535 less both headers) */
const LONGEST_PAYLOAD = 65_507

/**
 * Reads flow lines (README.md): one JSON object a line, blank lines left out, unknown keys ignored.
 * Names must be in the inventory. Throws ParseError with the number of the first bad line, before anything is walked.
 */
export function parseFlows(text: string, file: string, inventory: Inventory): readonly FlowLine[] {
  const known = new Map<string, boolean>()
  const knows = (kind: (typeof KINDS)[number], name: string): boolean => {
    const key = `${kind}/${name}`
    let found = known.get(key)
    if (found === undefined) known.set(key, (found = exists(inventory, kind, name)))
    return found
  }
  const flows: FlowLine[] = []
  eachLine(text, (row, line) => {
    flows.push(parseLine(row, file, line, knows))
  })
  return flows
}

function parseLine(line: string, file: string, number: number, knows: (kind: (typeof KINDS)[number], name: string) => boolean): FlowLine {
  const fail = (message: string): never => {
    throw new ParseError(file, number, message)
  }
  let root: unknown
  try {
    root = JSON.parse(line)
  } catch {
    return fail(
      `not JSON: ${findJsonError(line).message}; expected a flow, {"from": {"kind": "pod", "name": "shop/client"}, "proto": "tcp", "dst": "10.96.0.1", "port": 443}`,
    )
  }
  if (!isRecord(root)) return fail('expected an object')
  const { id, proto, dst, port, payload, state, expect } = root
  if (id !== undefined && typeof id !== 'string' && typeof id !== 'number') return fail('id: expected text or a number')
  const from = parseFrom(root.from, fail, knows)
  if (!isOne(PROTOCOLS, proto)) return fail(`proto: expected ${PROTOCOLS.join(', ')}`)
  const ip = typeof dst === 'string' ? parseIp(dst) : undefined
  if (!ip) return fail('dst: expected an address')
  if (port === undefined || port === null ? proto !== 'icmp' : !isWhole(port, 1, 65535))
    return fail('port: expected a number between 1 and 65535')
  if (payload !== undefined && payload !== null && !isWhole(payload, 0, LONGEST_PAYLOAD))
    return fail(`payload: expected a number of bytes, ${LONGEST_PAYLOAD} at most`)
  if (state !== undefined && state !== null && !isOne(STATES, state)) return fail(`state: expected ${STATES.join(', ')}`)
  if (expect !== undefined && expect !== null && !isOne(VERDICTS, expect)) return fail(`expect: expected ${VERDICTS.join(', ')}`)
  return {
    line: number,
    ...(id !== undefined && { id }),
    flow: {
      from,
      proto,
      dst: ip.text,
      ...(typeof port === 'number' && proto !== 'icmp' && { port }),
      ...(typeof payload === 'number' && { payload }),
      ...(isOne(STATES, state) && { state }),
    },
    ...(isOne(VERDICTS, expect) && { expect }),
  }
}

function parseFrom(
  value: unknown,
  fail: (message: string) => never,
  knows: (kind: (typeof KINDS)[number], name: string) => boolean,
): FlowLine['flow']['from'] {
  if (!isRecord(value)) return fail('from: expected an object, {"kind": "pod", "name": "NAMESPACE/NAME"}')
  const { kind, name } = value
  if (!isOne(KINDS, kind)) return fail(`from.kind: expected ${KINDS.join(', ')}`)
  if (name !== undefined && name !== null && typeof name !== 'string') return fail('from.name: expected text')
  const ip = addressOf(value.ip, 'ip', 4, fail)
  const ip6 = addressOf(value.ip6, 'ip6', 6, fail)
  // a client outside may be called anything as long as its address is known
  const address = ip ?? ip6
  if (typeof name === 'string') {
    if (kind === 'pod' && !/^[^/]+\/[^/]+$/.test(name)) return fail('from.name: a pod is NAMESPACE/NAME')
    if (!knows(kind, name) && !(kind === 'external' && address))
      return fail(`from.name: the snapshot has no ${kind === 'external' ? 'outside host' : kind} “${name}”`)
  } else if (!address) return fail('from: expected a name or an ip')
  return { kind, ...(typeof name === 'string' && { name }), ...(ip && { ip }), ...(ip6 && { ip6 }) }
}

/** `ip` may hold an IPv6 address where the sender has no other. */
function addressOf(value: unknown, key: string, family: 4 | 6, fail: (message: string) => never): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const ip = typeof value === 'string' ? parseIp(value) : undefined
  if (!ip || (family === 6 && ip.family !== 6)) return fail(`from.${key}: expected an IPv${family} address`)
  return ip.text
}

function exists(inventory: Inventory, kind: (typeof KINDS)[number], name: string): boolean {
  if (kind !== 'pod') return hostIps(inventory, kind, name) !== undefined
  const slash = name.indexOf('/')
  return findPod(inventory, name.slice(0, slash), name.slice(slash + 1)) !== undefined
}

const isRecord = (x: unknown): x is Record<string, unknown> => typeof x === 'object' && x !== null && !Array.isArray(x)
const isOne = <T extends string>(list: readonly T[], x: unknown): x is T => list.includes(x as T)
const isWhole = (x: unknown, lo: number, hi: number): x is number => typeof x === 'number' && Number.isInteger(x) && x >= lo && x <= hi
