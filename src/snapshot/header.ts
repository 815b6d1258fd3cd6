import { findJsonError, lineAt } from '../kernel/json-error.ts'
import { ParseError } from '../kernel/source.ts'
import { parseIp, parsePrefix } from '../net/ip.ts'
import type { Assume, SnapshotHeader } from './types.ts'

/** Newest layout that this program reads. */
export const SCHEMA_VERSION = 1

const NOTHING: Assume = { listeners: {}, forwarding: [], routes: {} }

/** The header of a snapshot without snapshot.json: nothing is assumed beyond what is for every snapshot (docs/snapshot.md, Assumptions). */
export const defaultHeader = (note: string): SnapshotHeader => ({ schemaVersion: SCHEMA_VERSION, missing: [note], assume: NOTHING })

/** Reads snapshot.json. Unknown keys are tolerated (a newer netctl may write them), wrong types are not. */
export function parseHeader(text: string, file: string): SnapshotHeader {
  let root: unknown
  try {
    root = JSON.parse(text)
  } catch {
    if (text.trim() === '') throw new ParseError(file, 1, 'empty; delete the file to load the dumps without it')
    const error = findJsonError(text)
    throw new ParseError(file, error.line, `not JSON: ${error.message}`)
  }
  const fail = (key: string, expected: string): never => {
    const at = text.indexOf(`"${key}"`)
    throw new ParseError(file, at < 0 ? 1 : lineAt(text, at), `${key}: expected ${expected}`)
  }
  if (!isRecord(root)) throw new ParseError(file, 1, 'expected an object, {"schemaVersion": 1, …}')
  if (root.kind !== undefined && root.kind !== 'Snapshot') fail('kind', '"Snapshot"')
  const version = root.schemaVersion ?? SCHEMA_VERSION
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) return fail('schemaVersion', 'a whole number, 1 or more')
  if (version > SCHEMA_VERSION)
    return fail(
      'schemaVersion',
      `${SCHEMA_VERSION} or less, found ${version}: this snapshot was taken by a newer netctl; update netctl to read it`,
    )
  if (root.takenAt !== undefined && typeof root.takenAt !== 'string') fail('takenAt', 'a time, as text')
  if (root.source !== undefined && typeof root.source !== 'string') fail('source', 'text')
  const missing = root.missing ?? []
  if (!isStrings(missing)) return fail('missing', 'a list of texts')
  return {
    schemaVersion: version,
    ...(typeof root.takenAt === 'string' && { takenAt: root.takenAt }),
    ...(typeof root.source === 'string' && { source: root.source }),
    missing,
    assume: root.assume === undefined ? NOTHING : parseAssume(root.assume, fail),
  }
}

function parseAssume(value: unknown, fail: (key: string, expected: string) => never): Assume {
  if (!isRecord(value)) return fail('assume', 'an object')
  const listeners = value.listeners ?? {}
  if (!isRecord(listeners)) return fail('listeners', 'an object: {"node/*": ["tcp/22"], "pod/*": "containerPorts"}')
  for (const [who, what] of Object.entries(listeners)) {
    if (!HOST_PATTERN.test(who)) fail(who, 'a host as key: "pod/*", "pod/NAMESPACE/NAME", "node/NAME" or "external/NAME"')
    if (what !== 'containerPorts' && !(isStrings(what) && what.every((w) => LISTENER.test(w))))
      fail(who, '"containerPorts" or a list like ["tcp/22", "udp/53"]')
  }
  const forwarding = value.forwarding ?? []
  if (!isStrings(forwarding)) return fail('forwarding', 'a list of hosts, like ["external/router"]')
  const routes = value.routes ?? {}
  if (!isRecord(routes)) return fail('routes', 'an object: {"203.0.113.10/32": "node/n1"}')
  for (const [cidr, host] of Object.entries(routes)) {
    if (!parsePrefix(cidr) && !parseIp(cidr)) fail(cidr, 'an address or prefix as key')
    if (typeof host !== 'string' || !HOST_PATTERN.test(host)) fail(cidr, 'a host: "node/NAME", "pod/NAMESPACE/NAME" or "external/NAME"')
  }
  const unknown = value.unknownDestination
  if (unknown !== undefined && unknown !== 'unreachable' && unknown !== 'dropped' && unknown !== 'undecided') {
    return fail('unknownDestination', '"unreachable", "dropped" or "undecided"')
  }
  return {
    listeners: bare(listeners as Record<string, 'containerPorts' | readonly string[]>),
    forwarding,
    routes: bare(routes as Record<string, string>),
    ...(unknown !== undefined && { unknownDestination: unknown }),
  }
}

const HOST_PATTERN = /^(?:(?:node|external|pod)\/\*|(?:node|external)\/[^/\s]+|pod\/[^/\s]+\/[^/\s]+)$/
const LISTENER = /^(?:tcp|udp|sctp)\/\d{1,5}(?:-\d{1,5})?$/

const isRecord = (x: unknown): x is Record<string, unknown> => typeof x === 'object' && x !== null && !Array.isArray(x)
const isStrings = (x: unknown): x is readonly string[] => Array.isArray(x) && x.every((s) => typeof s === 'string')

/** Without a prototype, so that a key like `constructor` or `__proto__` finds nothing but itself. */
const bare = <T>(record: Record<string, T>): Readonly<Record<string, T>> => Object.assign(Object.create(null) as Record<string, T>, record)
