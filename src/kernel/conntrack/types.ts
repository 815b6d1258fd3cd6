import type { Tuple } from '../iptables/env.ts'
import type { Source } from '../source.ts'

/** One line of `conntrack -L`. */
export interface ConntrackEntry {
  readonly source: Source
  readonly proto: string
  readonly protoNumber: number
  readonly timeout?: number
  /** TCP state word, if any */
  readonly state?: string
  readonly original: Tuple
  readonly reply: Tuple
  /** `ASSURED`, `UNREPLIED`, `OFFLOAD`, … */
  readonly flags: readonly string[]
  readonly mark: number
  readonly zone?: number
}
