import { ParseError } from '../source.ts'
import type { KernelClock } from './types.ts'

const WORD = 2 ** 32
/** What kernel/Kconfig.hz and arch/arm/Kconfig offer for CONFIG_HZ. */
const RATES = [100, 200, 250, 300, 500, 1000]

/**
 * Reads what /proc/timer_list begins with: `now at N nsecs` (since the machine was started, CLOCK_MONOTONIC) and, further down, `jiffies: N`. Throws
 * ParseError if these are not there.
 */
export function parseClock(text: string, file: string): KernelClock {
  const nanoseconds = /^now at (\d{1,19}) nsecs$/m.exec(text)?.[1]
  const jiffies = /^jiffies: (\d{1,19})$/m.exec(text)?.[1]
  if (nanoseconds === undefined || jiffies === undefined)
    throw new ParseError(file, 1, 'expected the lines “now at N nsecs” and “jiffies: N” of /proc/timer_list; take it again or delete it')
  return { jiffies: Number(jiffies), hz: rateOf(Number(jiffies), Number(nanoseconds) / 1e9) }
}

/**
 * The one rate by which the clock comes to this in so many seconds: it begins at 2^32 − 300·HZ (INITIAL_JIFFIES, linux/jiffies.h), hence is 2^32 for
 * all of them after five minutes, when it can't be told. Booting takes some ticks off.
 */
function rateOf(jiffies: number, seconds: number): number | undefined {
  const fits = RATES.filter((hz) => {
    const ideal = WORD + (seconds - 300) * hz
    const off = jiffies - (jiffies < WORD ? ((ideal % WORD) + WORD) % WORD : ideal)
    return Math.abs(off) <= hz * (1 + seconds / 1000)
  })
  return fits.length === 1 ? fits[0] : undefined
}
