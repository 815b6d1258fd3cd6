/** What /proc/net/xt_recent has: by the list's name, then by address in canonical form, the times that it was seen (jiffies). */
export type RecentLists = ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>

/** The kernel's clock, which these times are by. */
export interface KernelClock {
  /** ticks; on 32-bit machines they begin anew at 2^32 */
  readonly jiffies: number
  /** ticks a second; undefined if it can't be told */
  readonly hz: number | undefined
}
