/** Marks are unsigned 32-bit words; JavaScript's bit operators give signed ones, hence `>>> 0`. */

/** MARK --set-xmark VALUE/MASK: `(mark & ~mask) ^ value` (net/netfilter/xt_mark.c, mark_tg). */
export function applyMark(mark: number, target: { readonly value: number; readonly mask: number }): number {
  return ((mark & ~target.mask) ^ target.value) >>> 0
}

/** `(mark & mask) == value`, as the mark and connmark matches test it (xt_mark.c, mark_mt; xt_connmark.c, connmark_mt). */
export function markMatches(mark: number, test: { readonly value: number; readonly mask: number }): boolean {
  return (mark & test.mask) >>> 0 === test.value
}

interface Masks {
  readonly mask: number
  readonly nfmask: number
}

/** CONNMARK --save-mark: the new connection mark (xt_connmark.c, connmark_tg, XT_CONNMARK_SAVE). */
export function saveMark(connmark: number, mark: number, { mask, nfmask }: Masks): number {
  return ((connmark & ~mask) ^ (mark & nfmask)) >>> 0
}

/** CONNMARK --restore-mark: the new packet mark (xt_connmark.c, connmark_tg, XT_CONNMARK_RESTORE). */
export function restoreMark(mark: number, connmark: number, { mask, nfmask }: Masks): number {
  return ((mark & ~nfmask) ^ (connmark & mask)) >>> 0
}
