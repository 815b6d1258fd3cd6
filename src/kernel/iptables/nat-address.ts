/** Which address of a range NAT takes: find_best_ips_proto (net/netfilter/nf_nat_core.c), a hash without a secret. */
import { fromWords, type Ip } from '../../net/ip.ts'
import { jhash, scale, swap } from '../jhash.ts'

const words = (x: Ip): readonly number[] => (x.family === 4 ? [x.d] : [x.a, x.b, x.c, x.d])

/** `src`, `dst`: of the packet as the rule sees it; `manip`: which of the two is replaced. Connections of the default zone. */
export function natAddress(from: Ip, to: Ip, src: Ip, dst: Ip, manip: 'SRC' | 'DST', persistent: boolean): Ip {
  if (from.text === to.text) return from
  const lo = words(from)
  const hi = words(to)
  const target = words(dst)
  const key = words(src).map(swap)
  // jhash2 of the four words of a union nf_inet_addr
  let j = jhash(key, 16, persistent ? 0 : swap(target.at(-1) as number))
  let full = false
  const chosen = lo.map((word, i) => {
    const min = full ? 0 : word >>> 0
    const distance = full ? 0xffffffff : (((hi[i] as number) >>> 0) - min + 1) >>> 0
    const out = (min + scale(j, distance)) | 0
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
