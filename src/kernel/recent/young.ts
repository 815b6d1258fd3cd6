import type { Elapsed } from '../elapsed.ts'

const WORD = 2 ** 32

/**
 * How many of these times are no longer ago than `seconds`, as recent_mt (xt_recent.c) counts them: not `time_after(jiffies - seconds * HZ, stamp)`.
 * The product is 32 bits wide, as is the difference where jiffies are. `lowest` and `highest` differ if some come of age about now.
 */
export function countYoung(
  stamps: readonly number[],
  seconds: number,
  { jiffies, hz }: { readonly jiffies: number; readonly hz: number },
  { atLeast, atMost }: Elapsed,
): { readonly lowest: number; readonly highest: number } {
  const span = (seconds * hz) % WORD
  const narrow = jiffies < WORD && stamps.every((s) => s < WORD)
  const at = (now: number) => stamps.filter((stamp) => signed(span - (now - stamp), narrow) >= 0).length
  return { lowest: at(jiffies + Math.ceil(atMost * hz)), highest: at(jiffies + Math.floor(atLeast * hz)) }
}

const signed = (difference: number, narrow: boolean): number => (narrow ? difference | 0 : difference)
