/** Kubernetes label selectors, by the page "Labels and Selectors" and the reference of LabelSelector. */
import type { LabelSelector, Labels } from './objects.ts'

/** All of matchLabels and all of matchExpressions have to hold; a selector without either selects everything. */
export function selects(selector: LabelSelector, labels: Labels): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (labels[key] !== value) return false
  }
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const value = labels[key]
    if (operator === 'In') {
      if (value === undefined || !values?.includes(value)) return false
    } else if (operator === 'NotIn') {
      // "… and all objects with no label of that key"
      if (value !== undefined && values?.includes(value)) return false
    } else if (operator === 'Exists') {
      if (value === undefined) return false
    } else if (operator === 'DoesNotExist') {
      if (value !== undefined) return false
    } else throw new Error(`not a label selector operator: ${operator}`)
  }
  return true
}
