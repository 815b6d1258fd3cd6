/** The packet came through, and nobody listens there. */
import { type Case, type Explain, nodeOf } from './case.ts'
import { translation } from './translation.ts'
import { spoken } from './words.ts'

/** The cause is the listener that is missing, on the node where the server runs. */
export const closedPort: Explain = (c) => {
  const { blame } = c
  if (blame.kind !== 'listener') return undefined
  const object = translation(c)?.object
  const entry = object === undefined ? blame.entry : `${blame.entry}, where ${spoken(object)} sends to`
  return {
    node: serverNode(c),
    kind: 'listener',
    entry,
    ...(blame.source && { source: blame.source }),
    ...(object !== undefined && { object }),
  }
}

/** Where the server runs. One without a dump has no place of its own: then its name tells. */
function serverNode({ result, cluster, blame }: Case): string {
  const [kind, ...name] = result.reached?.place.split('/') ?? []
  if (kind === 'node') return name.join('/')
  if (kind !== 'pod') return result.reached?.place ?? nodeOf(blame.place)
  return cluster.pods.find((p) => `${p.namespace}/${p.name}` === name.join('/'))?.node ?? nodeOf(blame.place)
}
