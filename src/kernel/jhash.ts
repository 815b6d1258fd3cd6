/** The kernel's Jenkins hash (include/linux/jhash.h) and what goes with it. */

const rol = (x: number, n: number): number => (x << n) | (x >>> (32 - n))

/**
 * `words` as a little-endian machine reads them from memory, as all that Kubernetes runs on but s390x; a last one that is not whole is filled
 * up with zeros. `length` in bytes.
 */
export function jhash(words: readonly number[], length: number, seed: number): number {
  let a = (0xdeadbeef + length + seed) | 0
  let [b, c] = [a, a]
  let at = 0
  const next = () => words[at++] ?? 0
  for (let left = length; left > 12; left -= 12) {
    a = (a + next()) | 0
    b = (b + next()) | 0
    c = (c + next()) | 0
    a = ((a - c) ^ rol(c, 4)) | 0
    c = (c + b) | 0
    b = ((b - a) ^ rol(a, 6)) | 0
    a = (a + c) | 0
    c = ((c - b) ^ rol(b, 8)) | 0
    b = (b + a) | 0
    a = ((a - c) ^ rol(c, 16)) | 0
    c = (c + b) | 0
    b = ((b - a) ^ rol(a, 19)) | 0
    a = (a + c) | 0
    c = ((c - b) ^ rol(b, 4)) | 0
    b = (b + a) | 0
  }
  if (length === 0) return c | 0
  a = (a + next()) | 0
  b = (b + next()) | 0
  c = (c + next()) | 0
  c = ((c ^ b) - rol(b, 14)) | 0
  a = ((a ^ c) - rol(c, 11)) | 0
  b = ((b ^ a) - rol(a, 25)) | 0
  c = ((c ^ b) - rol(b, 16)) | 0
  a = ((a ^ c) - rol(c, 4)) | 0
  b = ((b ^ a) - rol(a, 14)) | 0
  return ((c ^ b) - rol(b, 24)) | 0
}

/** reciprocal_scale(): the upper half of the 64-bit product, a number below `range`. */
export const scale = (hash: number, range: number): number => Number((BigInt(hash >>> 0) * BigInt(range)) >> 32n)

/** A word in network order as it is read from memory. */
export const swap = (x: number): number => ((x & 0xff) << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24)
