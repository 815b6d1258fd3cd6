/** How long before the moment of the question a dump was taken, in seconds: what has a time to live may have ended since. */
export interface Elapsed {
  readonly atLeast: number
  readonly atMost: number
}

/** The question is about the moment of the dump. */
export const AT_ONCE: Elapsed = { atLeast: 0, atMost: 0 }

/**
 * Is that which had `left` seconds to live when it was dumped still there, if nobody has renewed it? undefined: it ends about now. Tools cut off parts
 * of a second.
 */
export function stillThere(left: number, { atLeast, atMost }: Elapsed): boolean | undefined {
  if (left >= atMost) return true
  return left + 1 <= atLeast ? false : undefined
}
