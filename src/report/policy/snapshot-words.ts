import { positionOf } from '../../cluster/manifest/position.ts'
import type { ExplainedChange, SnapshotResult } from '../../policy/record/check.ts'
import { count } from '../names.ts'
import type { Result } from '../results.ts'
import { decisionText, endFor } from './decision-text.ts'
import type { FilePlace } from './names.ts'
import type { Why } from './test-words.ts'

/** What differs from a recorded snapshot, in words. */
export const snapshotTitle = ({ snapshot }: SnapshotResult): string => `snapshot${snapshot.name === '' ? '' : ` ${snapshot.name}`}`

/** Where the recording speaks of a source; of the whole document where it does not. */
export const placeOfChange = ({ snapshot }: SnapshotResult, name?: string): FilePlace =>
  positionOf(
    snapshot.object,
    name === undefined ? [] : snapshot.recording.allowed.has(name) ? ['spec', 'allowed', name] : ['spec', 'endpoints'],
  )

/** `opened  TCP 80: shop/web → shop/db, shop/cache` */
export const changeText = ({ from, to, ports }: ExplainedChange): string => `${names(from)} → ${names(to)}  ${ports}`

/** A few of them; who wants all records anew and looks at the difference. */
export function names(list: readonly string[]): string {
  const shown = list.slice(0, 4).join(', ')
  return list.length > 4 ? `${shown} and ${count(list.length - 4, 'other')}` : shown
}

/** Who decides now: the side that denies, or both that allow. */
export function whyNow({ kind, example }: ExplainedChange): readonly Why[] {
  if (!example || kind === 'unsure') return []
  const { flow, verdict } = example
  const sides = (['egress', 'ingress'] as const).filter((side) => verdict[side].verdict === (verdict.allowed ? 'allow' : 'deny'))
  return sides.map((side): Why => ({ label: side, ...decisionText(verdict[side], endFor(side, flow)) }))
}

/** A pass, or one result for each change. */
export function snapshotResults(result: SnapshotResult): readonly Result[] {
  const title = snapshotTitle(result)
  const one = (message: string, name?: string): Result => ({
    code: 'PTE104',
    level: 'error',
    title,
    message,
    ...placeOfChange(result, name),
  })
  const changed = [
    ...result.changes.map((change) =>
      one(
        [
          `${change.kind}: ${changeText(change)}`,
          ...whyNow(change).map(({ label, text, place }) => `  ${label}: ${text}${place === undefined ? '' : ` (${place})`}`),
        ].join('\n'),
        change.from[0],
      ),
    ),
    ...(result.added.length > 0 ? [one(`not recorded: ${names(result.added)}`)] : []),
    ...(result.removed.length > 0 ? [one(`recorded, and not there any more: ${names(result.removed)}`)] : []),
  ]
  return changed.length > 0 ? changed : [{ code: 'PTE104', level: 'pass', title, message: '', ...placeOfChange(result) }]
}
