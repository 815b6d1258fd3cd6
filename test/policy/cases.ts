import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { readManifest } from '../../src/cluster/manifest/read.ts'
import type { ManifestObject } from '../../src/cluster/manifest/types.ts'
import { ip, parseIp } from '../../src/net/ip.ts'
import { buildWorld, type Loaded } from '../../src/policy/build.ts'
import type { FlowClass } from '../../src/policy/flow.ts'
import { PROTOCOLS } from '../../src/policy/protocols.ts'
import { readResource } from '../../src/policy/resources/read.ts'
import type { PolicyWorld } from '../../src/policy/world.ts'
import { policyCases } from '../support/policy-cases.ts'

/** A row of expected.json, as that folder's README describes it. */
export interface Row {
  readonly src: string
  readonly dst: string | readonly string[]
  readonly protocol?: readonly string[]
  readonly ports?: '*' | readonly (number | string)[]
  readonly probes?: readonly (readonly unknown[])[]
  readonly class?: FlowClass
  readonly staged?: boolean
  readonly allowed: boolean | null
  readonly egress?: string
  readonly ingress?: string
  readonly egressPath?: readonly string[]
  readonly ingressPath?: readonly string[]
}

export interface Case {
  readonly name: string
  readonly folder: string
  readonly valid?: boolean
  readonly ends?: readonly { readonly id: string; readonly ip?: string }[]
  readonly probe_ports?: readonly number[]
  readonly rejected_by_calico?: readonly unknown[]
  readonly expect: readonly Row[]
}

/** Folders of cases of one origin. */
export function casesOf(peer: string): Case[] {
  const dir = peer === 'disagreements' ? resolve(policyCases, peer) : resolve(policyCases, peer, 'cases')
  return readdirSync(dir).map((name) => {
    const folder = resolve(dir, name)
    return { ...(JSON.parse(readFileSync(resolve(folder, 'expected.json'), 'utf8')) as Case), name, folder }
  })
}

/** The objects of a case that are not refused. */
export function loadCase(folder: string): { loaded: Loaded[]; refused: string[] } {
  const loaded: Loaded[] = []
  const refused: string[] = []
  for (const object of objectsOf(resolve(folder, 'manifests'))) {
    const read = readResource(object)
    if (read.kind === 'resource') loaded.push({ object, resource: read.resource })
    else if (read.kind === 'refused')
      refused.push(
        `${object.kind} ${object.namespace ?? ''}/${object.name}: ${read.problems.map((x) => `${x.field} ${x.message}`).join('; ')}`,
      )
  }
  return { loaded, refused }
}

function objectsOf(dir: string): ManifestObject[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name))
    .flatMap((entry) => {
      const file = resolve(entry.parentPath, entry.name)
      // what can't be read is left out, as the tools do that the expectations come from
      return [...readManifest(readFileSync(file, 'utf8'), file, { namespace: 'default' }).objects]
    })
}

/** The world of a case; ends that have no address in it get the one that its expectations were made with. */
export function worldOf(loaded: readonly Loaded[], ends: Case['ends'] = []): PolicyWorld {
  const world = buildWorld(loaded)
  const given = new Map(ends.flatMap((end) => (end.ip ? [[end.id, end.ip] as const] : [])))
  const owned = (id: string | undefined): string | undefined => (id === undefined ? undefined : given.get(id))
  const endpoints = world.endpoints.map((endpoint) => {
    if (endpoint.addresses.length > 0) return endpoint
    const { namespace, owner } = endpoint
    const address =
      given.get(endpoint.id) ?? given.get(`${endpoint.id}[Pod]`) ?? owned(owner && `${namespace}/${owner.name}[${owner.kind}]`)
    return address ? { ...endpoint, addresses: [ip(address)] } : endpoint
  })
  return { ...world, endpoints }
}

export interface Probe {
  readonly protocol: number
  readonly port?: number
  readonly sourcePort?: number
  readonly icmpType?: number
  readonly icmpCode?: number
}

/** The flows of a row, without its destinations. */
export function probesOf(row: Row, probePorts: readonly number[]): Probe[] {
  if (row.probes) return row.probes.map(probe)
  const ports = row.ports === '*' ? probePorts : (row.ports ?? []).map(Number)
  return (row.protocol ?? []).flatMap((name) => ports.map((port) => ({ protocol: protocolOf(name), port })))
}

function probe(parts: readonly unknown[]): Probe {
  const [protocol, ...others] = parts
  const port = others.find((x) => typeof x === 'number')
  const options = (others.find((x) => typeof x === 'object') ?? {}) as { srcPort?: number; icmpType?: number; icmpCode?: number }
  return {
    protocol: protocolOf(protocol as string | number),
    ...(port !== undefined && { port }),
    ...(options.srcPort !== undefined && { sourcePort: options.srcPort }),
    ...(options.icmpType !== undefined && { icmpType: options.icmpType }),
    ...(options.icmpCode !== undefined && { icmpCode: options.icmpCode }),
  }
}

const protocolOf = (name: string | number): number =>
  typeof name === 'number' ? name : (PROTOCOLS.get(name.toUpperCase()) ?? Number(name))

/** An end of a row as `resolveEnd` takes it: pods are `ns/name[Pod]` too, and ranges stand for their address. */
export function endName(id: string, ends: Case['ends'] = []): string {
  if (parseIp(id)) return id
  const range = ends.find((end) => end.id === id && id.endsWith('[External]'))
  return range?.ip ?? id.replace(/\[Pod\]$/, '')
}
