import type { Change } from '../../policy/matrix/changes.ts'
import type { MatrixDiff } from '../../policy/matrix/diff.ts'
import { portDocument } from './matrix-json.ts'
import { directionDocument } from './verdict-json.ts'

/** What a change opens and closes, for machines. */
export const diffDocument = ({ changes, added, removed }: MatrixDiff) => ({
  apiVersion: 'netctl.dev/v1alpha1',
  kind: 'PolicyDiff',
  changes: changes.map(changeDocument),
  added,
  removed,
})

function changeDocument({ kind, ports, sources, destinations, directions, example }: Change) {
  const { flow, before, after } = example
  return {
    kind,
    ports: ports.map(portDocument),
    sources: sources.map(({ id }) => id),
    destinations: destinations.map(({ id }) => id),
    /** a pair of them, and the sides that decide otherwise than before */
    example: {
      src: flow.source.id,
      dst: flow.destination.id,
      ...Object.fromEntries(
        directions.map((direction) => [
          direction,
          { before: directionDocument(before[direction]), after: directionDocument(after[direction]) },
        ]),
      ),
    },
  }
}
