/** The recorded clusters as the policy engine takes them, and what packets did there. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readManifest } from '../../src/cluster/manifest/read.ts'
import { buildWorld } from '../../src/policy/build.ts'
import { PROTOCOLS } from '../../src/policy/protocols.ts'
import { readResource } from '../../src/policy/resources/read.ts'
import type { PolicyWorld } from '../../src/policy/world.ts'
import { captures } from '../support/captures.ts'

interface Result {
  readonly outcome: string
  readonly how?: string
  readonly pod?: string
  readonly seen_src?: string
  readonly seen_dport?: number
}

export interface Truth {
  readonly id: string
  readonly from: {
    readonly kind: 'pod' | 'node' | 'external'
    readonly name: string
    readonly node?: string
    readonly ip: string
    readonly ip6?: string
  }
  readonly proto: string
  readonly dst: string
  readonly port?: number
  readonly via: string
  readonly results: readonly Result[]
}

export function truthOf(name: string): Truth[] {
  const lines = readFileSync(join(captures, name, 'truth.jsonl'), 'utf8').split('\n')
  return lines.filter(Boolean).map((line) => JSON.parse(line) as Truth)
}

export function worldOf(name: string): PolicyWorld {
  const dir = join(captures, name, 'cluster')
  const files = readdirSync(dir).filter((file) => /\.json(\.gz)?$/.test(file))
  const objects = files.flatMap((file) => {
    const bytes = readFileSync(join(dir, file))
    return readManifest((file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString(), file, { namespace: 'default' }).objects
  })
  return buildWorld(
    objects.flatMap((object) => {
      const read = readResource(object)
      if (read.kind === 'refused') throw new Error(`${object.kind} ${object.name}: ${JSON.stringify(read.problems)}`)
      return read.kind === 'resource' ? [{ object, resource: read.resource }] : []
    }),
  )
}

export const protocolOf = ({ proto }: Truth): number => PROTOCOLS.get(proto.toUpperCase()) ?? 0
export const portOf = ({ port }: Truth) => (port === undefined ? {} : { port })

/** Delivered, or refused by the destination itself; an ICMP error from a node is how a policy rejects. */
export const reached =
  ({ dst }: Truth) =>
  ({ outcome, how }: Result): boolean =>
    outcome === 'delivered' || (outcome === 'refused' && (how === undefined || !how.startsWith('icmp') || how.endsWith(` ${dst}`)))
