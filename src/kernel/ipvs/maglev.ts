/**
 * The table of the `mh` scheduler, Maglev hashing (net/netfilter/ipvs/ip_vs_mh.c). Its keys are constants, so a pick can be computed.
 * Hashes are those of 64-bit kernels, and the table has the default size (CONFIG_IP_VS_MH_TAB_INDEX 12).
 */
import { foldAddress } from './fold-address.ts'
import type { Endpoint } from './types.ts'

const SIZE = 4093
/** IP_VS_MH_TAB_BITS: a server has fewer turns than 2 to this */
const BITS = 6
const KEY_1 = 2654435761n
const KEY_2 = 2654446892n

/** A server with the weight that its buckets are counted by: its own, or the last that was not 0. */
export interface Weighed extends Endpoint {
  readonly weight: number
}

/** Index of the server for each bucket; undefined without servers of weight above 0. The order of servers decides collisions. */
export function maglevTable(servers: readonly Weighed[]): readonly number[] | undefined {
  const divisor = servers.reduce((g, s) => gcd(g, s.weight), 0)
  if (divisor < 1) return undefined
  const most = Math.floor(Math.max(...servers.map((s) => s.weight)) / divisor)
  const shift = Math.max(0, 32 - Math.clz32(most) - BITS)
  const rows = servers.map((s) => ({
    at: hash(s, KEY_1) % SIZE,
    skip: (hash(s, KEY_2) % (SIZE - 1)) + 1,
    turns: Math.floor(s.weight / divisor) >> shift || (s.weight !== 0 ? 1 : 0),
  }))
  const table = new Array<number>(SIZE).fill(-1)
  for (let filled = 0; ; ) {
    for (const [i, row] of rows.entries()) {
      for (let turn = 0; turn < row.turns; turn++) {
        while (table[row.at] !== -1) row.at = (row.at + row.skip) % SIZE
        table[row.at] = i
        if (++filled === SIZE) return table
      }
    }
  }
}

/** The bucket of a client; `offset` is what mh-fallback tries next. */
export const maglevBucket = (client: Endpoint, offset = 0): number => hash(client, KEY_1, offset) % SIZE

/** Buckets in the order in which mh-fallback tries them after the first. */
export function* maglevFallback(client: Endpoint): Generator<number> {
  const first = maglevBucket(client)
  for (let n = 0; n < SIZE; n++) yield maglevBucket(client, (n + first) % SIZE)
}

const hash = ({ ip, port }: Endpoint, key: bigint, offset = 0): number => hsiphash((offset + port + foldAddress(ip)) >>> 0, key)

function gcd(x: number, y: number): number {
  return y === 0 ? x : gcd(y, x % y)
}

/** hsiphash_1u32 with both halves of the key equal: SipHash-1-3 over four bytes, its low half (lib/siphash.c). */
export function hsiphash(value: number, key: bigint): number {
  const b = (4n << 56n) | BigInt(value)
  const v: Words = [0x736f6d6570736575n ^ key, 0x646f72616e646f6dn ^ key, 0x6c7967656e657261n ^ key, 0x7465646279746573n ^ key ^ b]
  round(v)
  v[0] ^= b
  v[2] ^= 0xffn
  for (let i = 0; i < 3; i++) round(v)
  return Number((v[0] ^ v[1] ^ v[2] ^ v[3]) & 0xffffffffn)
}

type Words = [bigint, bigint, bigint, bigint]

const MASK = (1n << 64n) - 1n
const rotate = (x: bigint, n: bigint): bigint => ((x << n) | (x >> (64n - n))) & MASK

/** SIPHASH_PERMUTATION */
function round(v: Words): void {
  let [a, b, c, d] = v
  a = (a + b) & MASK
  b = rotate(b, 13n) ^ a
  a = rotate(a, 32n)
  c = (c + d) & MASK
  d = rotate(d, 16n) ^ c
  a = (a + d) & MASK
  d = rotate(d, 21n) ^ a
  c = (c + b) & MASK
  b = rotate(b, 17n) ^ c
  c = rotate(c, 32n)
  v[0] = a
  v[1] = b
  v[2] = c
  v[3] = d
}
