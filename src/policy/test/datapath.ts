import type { PolicyFlow } from '../flow.ts'

/** What the recorded datapath does with the flows of an expectation, beside what policies mean. Filled in by whoever can walk it. */
export interface DatapathResult {
  /** flows that were walked */
  readonly walked: number
  readonly differing: number
  /** flows that the walk, or the policies, can't tell about */
  readonly unknown: number
  /** the first of those that differ, then of those that can't be told */
  readonly differences: readonly DatapathDifference[]
}

export interface DatapathDifference {
  /**
   * `passes`: what policies deny gets there; `blocked`: what they allow is dropped by an entry of theirs; `lost`: what they allow does not
   * get there for another reason
   */
  readonly kind: 'passes' | 'blocked' | 'lost' | 'unknown'
  readonly flow: PolicyFlow
  /** the entry that did it, or why that can't be told */
  readonly text: string
  /** where the entry stands: a path inside the snapshot */
  readonly place?: { readonly file: string; readonly line: number }
}
