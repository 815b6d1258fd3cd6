/** Which address of a range NAT takes: find_best_ips_proto (net/netfilter/nf_nat_core.c), a hash without a secret. */
import { fromWords, type Ip } from '../../net/ip.ts'

const rol = (x: number, n: number): number => (x << n) | (x >>> (32 - n))
/** addresses are hashed as they lie in memory: network order read by a little-endian machine, as all that Kubernetes runs on but s390x */
const swap = (x: number): number => ((x & 0xff) << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24)

/** jhash2 of the four words of a union nf_inet_addr (include/linux/jhash.h) */
function jhash4(k: readonly [number, number, number, number], initval: number): number {
  const start = (0xdeadbeef + (4 << 2) + initval) | 0
  let a = (start + k[0]) | 0
  let b = (start + k[1]) | 0
  let c = (start + k[2]) | 0
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
  a = (a + k[3]) | 0
  c = ((c ^ b) - rol(b, 14)) | 0
  a = ((a ^ c) - rol(c, 11)) | 0
  b = ((b ^ a) - rol(a, 25)) | 0
  c = ((c ^ b) - rol(b, 16)) | 0
  a = ((a ^ c) - rol(c, 4)) | 0
  b = ((b ^ a) - rol(a, 14)) | 0
  return ((c ^ b) - rol(b, 24)) | 0
}

const words = (x: Ip): readonly number[] => (x.family === 4 ? [x.d] : [x.a, x.b, x.c, x.d])

/** `src`, `dst`: of the packet as the rule sees it; `manip`: which of the two is replaced. Connections of the default zone. */
export function natAddress(from: Ip, to: Ip, src: Ip, dst: Ip, manip: 'SRC' | 'DST', persistent: boolean): Ip {
  if (from.text === to.text) return from
  const lo = words(from)
  const hi = words(to)
  const target = words(dst)
  const key = words(src).map(swap)
  let j = jhash4([key[0] ?? 0, key[1] ?? 0, key[2] ?? 0, key[3] ?? 0], persistent ? 0 : swap(target.at(-1) as number))
  let full = false
  const chosen = lo.map((word, i) => {
    const min = full ? 0 : word >>> 0
    const distance = full ? 0xffffffff : (((hi[i] as number) >>> 0) - min + 1) >>> 0
    // reciprocal_scale: the upper half of the 64-bit product
    const out = (min + Number((BigInt(j >>> 0) * BigInt(distance)) >> 32n)) | 0
    if (out !== hi[i]) full = true
    // the tuple's destination is what is being replaced, for DNAT
    if (!persistent) j ^= swap(manip === 'DST' ? out : (target[i] as number))
    return out
  })
  const [a, b, c, d] = from.family === 4 ? [0, 0, 0, chosen[0]] : chosen
  return fromWords(from.family, a as number, b as number, c as number, d as number)
}

/** Is the address in the range already? Then source NAT leaves it (get_unique_tuple: “try the original tuple first”). */
export function inRange(x: Ip, from: Ip, to: Ip): boolean {
  const at = words(x).map((w) => w >>> 0)
  const order = (y: Ip): number => {
    for (const [i, w] of words(y).entries()) if (at[i] !== w >>> 0) return (at[i] as number) - (w >>> 0)
    return 0
  }
  return x.family === from.family && order(from) >= 0 && order(to) <= 0
}
