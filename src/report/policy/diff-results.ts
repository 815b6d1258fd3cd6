import { decisionOf } from '../../policy/decision.ts'
import type { Change } from '../../policy/matrix/changes.ts'
import type { MatrixDiff } from '../../policy/matrix/diff.ts'
import type { Direction } from '../../policy/model.ts'
import type { Result } from '../results.ts'
import { decisionText, endFor } from './decision-text.ts'
import { listed } from './matrix-text.ts'
import { placeOf } from './names.ts'
import { portsText } from './port-text.ts'

/** What the codes mean. */
export const diffRules: Readonly<Record<string, string>> = {
  PDF001: 'A change of policies lets connections through that were denied before',
  PDF002: 'A change of policies denies connections that were let through before',
}

/** Changes in the shape that annotations, SARIF, JUnit and TAP are written from; each at what decides now, or decided before. */
export const diffResults = ({ changes }: MatrixDiff): readonly Result[] => changes.map(resultOf)

function resultOf(change: Change): Result {
  const { kind, ports, sources, destinations, directions, example } = change
  const why = directions.map((direction) => {
    const say = (when: 'before' | 'after') => decisionText(example[when][direction], endFor(direction, example.flow)).text
    return `${direction} now: ${say('after')}; before: ${say('before')}`
  })
  return {
    code: kind === 'opened' ? 'PDF001' : 'PDF002',
    level: 'warning',
    title: `${kind} ${portsText(ports, [])}  ${listed(sources)} → ${listed(destinations)}`,
    message: why.join('\n'),
    ...directions.map((direction) => placeIn(change, direction)).find((place) => place !== undefined),
  }
}

function placeIn({ example }: Change, direction: Direction) {
  const origin = decisionOf(example.after[direction])?.origin ?? decisionOf(example.before[direction])?.origin
  return origin && placeOf(origin)
}
