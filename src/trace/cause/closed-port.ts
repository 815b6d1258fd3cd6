/** The packet came through, and nobody listens there. */
import { type Explain, nodeOf } from './case.ts'
import { translation } from './stale-endpoint.ts'
import { spoken } from './words.ts'

export const closedPort: Explain = (c) => {
  const { blame } = c
  if (blame.kind !== 'listener') return undefined
  const by = translation(c.steps, c.cluster)
  const entry = by ? `${blame.entry}, where ${spoken(by.object)} sends to` : blame.entry
  return {
    node: nodeOf(blame.place),
    kind: 'listener',
    entry,
    ...(blame.source && { source: blame.source }),
    ...(by && { object: by.object }),
  }
}
