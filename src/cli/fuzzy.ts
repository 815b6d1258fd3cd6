/** Narrowing a list by what is typed. Pure. */

/**
 * The items that match every word of `search`, in an order that puts the likeliest first: words found as they are beat letters found
 * one by one, early and whole matches beat late ones. With nothing typed: all, as they came.
 */
export function fuzzyFilter<T>(search: string, items: readonly T[], textOf: (item: T) => string): T[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return [...items]
  const scored = items.flatMap((item) => {
    const text = textOf(item).toLowerCase()
    const score = words.reduce((sum, word) => sum + scoreOf(word, text), 0)
    return Number.isFinite(score) ? [{ item, score }] : []
  })
  return scored.sort((a, b) => a.score - b.score).map((s) => s.item)
}

/** A gap between letters costs more than any place of a whole word. */
const LETTERS = 1000

/** Lower is better; infinite is no match. */
function scoreOf(word: string, text: string): number {
  const at = text.indexOf(word)
  if (at >= 0) return at + (at === 0 || /[^a-z0-9]/.test(text[at - 1] ?? '') ? 0 : 100)
  let from = 0
  let gaps = 0
  for (const letter of word) {
    const next = text.indexOf(letter, from)
    if (next < 0) return Number.POSITIVE_INFINITY
    gaps += next - from
    from = next + 1
  }
  return LETTERS + gaps
}
