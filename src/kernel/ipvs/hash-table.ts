/** The tables of the schedulers `sh` and `dh`: 256 buckets, filled with the servers in turn (ip_vs_sh.c, ip_vs_dh.c). */
import { foldAddress } from './fold-address.ts'
import type { Endpoint } from './types.ts'

const SIZE = 256

/** hash_32 with GOLDEN_RATIO_32 of include/linux/hash.h; `dh` and `sh` without sh-port take the port as 0. */
export const hashBucket = ({ ip, port }: Endpoint): number => Math.imul((foldAddress(ip) + port) | 0, 0x61c88647) >>> 24

/** Index of the server for each bucket: each fills as many in turn as its weight says, at least one. */
export function hashTable(weights: readonly number[]): readonly number[] {
  const table: number[] = []
  while (weights.length > 0 && table.length < SIZE)
    for (const [i, weight] of weights.entries()) {
      const n = Math.min(Math.max(weight, 1), SIZE - table.length)
      for (let k = 0; k < n; k++) table.push(i)
    }
  return table
}

/** Buckets in the order in which sh-fallback tries them after the first. */
export function* hashFallback(client: Endpoint): Generator<number> {
  const first = hashBucket(client)
  for (let n = 0; n < SIZE; n++) yield (((n + first) % SIZE) + first) % SIZE
}
