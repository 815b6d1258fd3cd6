/** The recorded clusters as the policy engine takes them, and what packets did there. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readManifest } from '../../src/cluster/manifest/read.ts'
import { buildWorld } from '../../src/policy/build.ts'
import { readResource } from '../../src/policy/resources/read.ts'
import type { PolicyWorld } from '../../src/policy/world.ts'
import { captures } from '../support/captures.ts'
import type { Truth } from './packets.ts'

export function truthOf(name: string): Truth[] {
  const lines = readFileSync(join(captures, name, 'truth.jsonl'), 'utf8').split('\n')
  return lines.filter(Boolean).map((line) => JSON.parse(line) as Truth)
}

export const worldOf = (name: string): PolicyWorld => worldIn(join(captures, name))

/** The policies' world of a snapshot in a folder. */
export function worldIn(snapshot: string): PolicyWorld {
  const dir = join(snapshot, 'cluster')
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
