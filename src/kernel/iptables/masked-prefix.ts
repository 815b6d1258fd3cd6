import { type Prefix, parseIp, parsePrefix } from '../../net/ip.ts'
import { host4 } from '../addresses.ts'

export interface MaskedPrefix {
  readonly prefix: Prefix
  /** the mask's text, where it is not the mask of a prefix */
  readonly mask?: string
}

const dotted = /^\d+\.\d+\.\d+\.\d+$/

/** `ADDRESS/LENGTH`, or `ADDRESS/MASK` where the mask is not one of a prefix (`mask` then is its text). Undefined if it is neither. */
export function parseMaskedPrefix(text: string): MaskedPrefix | undefined {
  const prefix = host4(text) ?? parsePrefix(text)
  if (prefix) return { prefix }
  const slash = text.indexOf('/')
  const [ip, maskIp] = [parseIp(text.slice(0, slash)), parseIp(text.slice(slash + 1))]
  if (slash < 0 || !ip || !maskIp || ip.family !== maskIp.family) return undefined
  const mask = text.slice(slash + 1)
  // the upper words of an IPv4 address are zero on both sides; `length` is only what a reader may sort by
  const lead = dotted.test(mask) ? Math.clz32(~maskIp.d) : leading([maskIp.a, maskIp.b, maskIp.c, maskIp.d])
  const fill = ip.family === 4 ? -1 : 0
  return { prefix: { ip, length: lead, ma: maskIp.a | fill, mb: maskIp.b | fill, mc: maskIp.c | fill, md: maskIp.d }, mask }
}

function leading(words: readonly number[]): number {
  let n = 0
  for (const w of words) {
    const ones = Math.clz32(~w)
    n += ones
    if (ones < 32) break
  }
  return n
}
