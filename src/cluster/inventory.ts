import { NetctlError } from '../error.ts'
import type { Ip } from '../net/ip.ts'
import type { Cluster } from './types.ts'

/** What names can mean: the objects of the cluster, and the hosts whose dumps are there. */
export interface Inventory {
  readonly cluster: Cluster
  readonly hosts: readonly KnownHost[]
}

/** A node, or a host outside, with the addresses that its devices have. Pods are known from the cluster. */
export interface KnownHost {
  readonly kind: 'node' | 'external'
  readonly name: string
  /** the main one of each family first */
  readonly ips: readonly Ip[]
}

/** One thing to pick: what to type for it, what it is, and a word more. */
export interface Choice {
  readonly value: string
  readonly label: string
  readonly hint?: string
}

/** Why a name could not be resolved. */
export type Problem = 'syntax' | 'missing' | 'port' | 'family' | 'unusable'

const CODES: Readonly<Record<Problem, string>> = {
  syntax: 'NAM001',
  missing: 'NAM002',
  port: 'NAM003',
  family: 'NAM004',
  unusable: 'NAM005',
}

/** A name that is wrong, missing or not enough. `choices` can be typed instead (and fill a picker). */
export class ResolveError extends NetctlError {
  readonly problem: Problem
  readonly choices: readonly Choice[]
  constructor(problem: Problem, message: string, choices: readonly Choice[] = [], advice?: string) {
    const listed = choices
      .slice(0, 8)
      .map((c) => c.value)
      .join(', ')
    const more = choices.length > 8 ? `, … (${choices.length} in all)` : ''
    const attempt = advice ?? (listed === '' ? undefined : `${listed}${more}`)
    super({ code: CODES[problem], message, ...(attempt !== undefined && { try: attempt }) })
    this.problem = problem
    this.choices = choices
  }
}
