import { readManifest } from '../../src/cluster/manifest/read.ts'
import { buildWorld, type Loaded } from '../../src/policy/build.ts'
import type { End, PolicyFlow } from '../../src/policy/flow.ts'
import { PROTOCOLS } from '../../src/policy/protocols.ts'
import { resolveEnd } from '../../src/policy/query/ends.ts'
import { readResource } from '../../src/policy/resources/read.ts'
import type { PolicyWorld } from '../../src/policy/world.ts'

/** What a manifest describes; a refused object is a mistake in the test. */
export function worldOfText(text: string): PolicyWorld {
  const loaded: Loaded[] = readManifest(text, 'test.yaml', { namespace: 'default' }).objects.map((object) => {
    const read = readResource(object)
    if (read.kind !== 'resource') throw new Error(`${object.kind} ${object.name}: ${JSON.stringify(read)}`)
    return { object, resource: read.resource }
  })
  return buildWorld(loaded)
}

function end(world: PolicyWorld, id: string): End {
  const found = resolveEnd(world, id)
  if (!found) throw new Error(`no ${id}`)
  return found
}

/** `flow(world, 'a/web', 'a/db', 'TCP', 80)` */
export function flow(
  world: PolicyWorld,
  from: string,
  to: string,
  protocol: string,
  port?: number,
  more: Partial<PolicyFlow> = {},
): PolicyFlow {
  return {
    source: end(world, from),
    destination: end(world, to),
    protocol: PROTOCOLS.get(protocol.toUpperCase()) ?? Number(protocol),
    ...(port !== undefined && { port }),
    ...more,
  }
}
