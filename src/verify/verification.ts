/** The product: what was predicted, what was observed, and where they differ. Part of `netctl trace --verify -o json`, additive only. */
import type { Evidence, Trace, Verdict } from '../trace/types.ts'

/** `unseen` is no agreement: nobody could look, or nothing showed it. */
export interface CheckedStep {
  readonly status: 'observed' | 'differs' | 'unseen'
  /** of one that differs: what was observed in its place */
  readonly observed?: string
}

/** The first step at which the kernel did otherwise. */
export interface Difference {
  /** node where it showed; the client's own for what only its socket saw */
  readonly node: string
  readonly way: 'request' | 'reply'
  /** index into the path's hops (of the request or the reply); absent where no hop stands for it */
  readonly hop?: number
  readonly predicted: string
  readonly observed: string
  /** the entry that the prediction rests on */
  readonly evidence?: Evidence
}

/** What the client's socket came to. */
export interface ObservedOutcome {
  /** `unknown`: nothing was sent, or nobody could hear */
  readonly verdict: Verdict | 'unknown'
  readonly error?: string
  readonly reason?: string
  readonly afterMs?: number
}

/** What came of holding a trace against real packets. What was not seen is no agreement: then the result is `unknown`. */
export interface Verification {
  readonly result: 'agrees' | 'differs' | 'unknown'
  /** the predicted path that the kernel took, or came nearest to: index into `Trace.paths` */
  readonly path?: number
  readonly observed: ObservedOutcome
  /** the port that the packet was sent from */
  readonly sourcePort?: number
  /** for each hop of that path */
  readonly steps: { readonly request: readonly CheckedStep[]; readonly reply: readonly CheckedStep[] }
  readonly difference?: Difference
  /** of `unknown`: why */
  readonly reason?: string
  /** what could not be seen, and why, each once */
  readonly unseen: readonly string[]
}

/** A trace with what came of holding it against the kernel. */
export interface VerifiedTrace extends Trace {
  readonly verification: Verification
}
