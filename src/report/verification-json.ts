/** Verified traces for machines: the document of a trace, with `verification`. */
import type { Trace } from '../trace/types.ts'
import type { VerifiedTrace } from '../verify/verification.ts'

/** Where packets met hosts was for the comparison: the walk's own objects are no part of the document. */
export const withoutLegs = (verified: VerifiedTrace): Trace & Pick<VerifiedTrace, 'verification'> => ({
  ...verified,
  paths: verified.paths.map(({ legs: _, ...path }) => path),
})
