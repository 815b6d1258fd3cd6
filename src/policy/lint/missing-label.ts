import type { Selector } from '../../cluster/selector/types.ts'
import { editDistance, nearest } from '../../nearest.ts'
import type { AtHand } from './namespaces-at-hand.ts'

export interface MissingLabel {
  /** `app=wbe` */
  readonly wanted: string
  /** what is there and looks like it: `app=web`, `label app` */
  readonly near?: string
}

/** A label that a selector asks for and nothing has. */
export function missingLabel(selector: Selector, around: readonly AtHand[]): MissingLabel | undefined {
  for (const condition of conjuncts(selector)) {
    if (condition.kind !== 'equal') continue
    const { key, value } = condition
    if (around.some((namespace) => namespace.valuesOf(key).has(value))) continue
    const values = new Set(around.flatMap((namespace) => [...namespace.valuesOf(key)]))
    const wanted = `${key}=${value}`
    const like = misspelt(value, values)
    if (like !== undefined) return { wanted, near: `${key}=${like}` }
    const label = values.size > 0 ? undefined : misspelt(key, new Set(around.flatMap((namespace) => [...namespace.keys()])))
    return { wanted, ...(label !== undefined && { near: `label ${label}` }) }
  }
  return undefined
}

/** What is there and differs by a slip of the fingers only. */
function misspelt(word: string, there: Iterable<string>): string | undefined {
  const [near] = nearest(word, there, 1)
  return near !== undefined && editDistance(word, near) <= (word.length < 6 ? 1 : 2) ? near : undefined
}

function conjuncts(selector: Selector): readonly Selector[] {
  return selector.kind === 'and' ? selector.operands.flatMap(conjuncts) : [selector]
}
