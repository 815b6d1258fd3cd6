/** Why a path was not delivered: the entry to look at first. */
import { ruleObject } from './attribution/rule-object.ts'
import type { Result } from './attempt.ts'
import { evidenceAt } from './hop.ts'
import type { Snapshot } from '../snapshot/types.ts'
import type { Cause, Flow } from './types.ts'

export function causeOf(snapshot: Snapshot, _flow: Flow, result: Result): Cause | undefined {
  const { blame } = result
  if (!blame) return undefined
  const evidence = blame.source && evidenceAt(snapshot, blame.source)
  const object = blame.object ?? (blame.rule?.rule && ruleObject(blame.rule.table.name, blame.rule.chain.name, blame.rule.rule, snapshot.cluster))
  return {
    node: blame.place.label, kind: blame.kind, entry: blame.entry === '' ? (evidence?.text ?? '') : blame.entry,
    ...(evidence && { evidence }), ...(object !== undefined && { object }),
  }
}
