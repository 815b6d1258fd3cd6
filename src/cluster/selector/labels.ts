import type { LabelSet } from './types.ts'

/** Labels of an object as `texts` of items.ts gives them. */
export const labelMap = (labels: Readonly<Record<string, string>>): ReadonlyMap<string, string> => new Map(Object.entries(labels))

/**
 * Own labels and those of parents, without copying either: own win over inherited, an earlier parent over a later one
 * (felix/labelindex/label_inheritance_index.go).
 */
export function inheriting(own: LabelSet, parents: readonly LabelSet[]): LabelSet {
  return {
    get(key) {
      const value = own.get(key)
      if (value !== undefined) return value
      for (const parent of parents) {
        const inherited = parent.get(key)
        if (inherited !== undefined) return inherited
      }
      return undefined
    },
    *[Symbol.iterator]() {
      yield* own
      for (const [i, parent] of parents.entries()) {
        for (const label of parent) {
          const [key] = label
          if (own.get(key) === undefined && !parents.slice(0, i).some((earlier) => earlier.get(key) !== undefined)) yield label
        }
      }
    },
  }
}
