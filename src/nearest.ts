/** “Did you mean …?” for commands, flags and names of objects. Pure. */

/**
 * The candidates nearest to what was typed, best first: those that contain it or that are few edits away.
 * Long lists stay cheap: edit distance is counted only where the lengths are close.
 */
export function nearest(typed: string, candidates: Iterable<string>, limit = 3): string[] {
  const wanted = typed.toLowerCase()
  const bound = Math.max(2, Math.floor(wanted.length / 3))
  const scored: { readonly candidate: string; readonly score: number }[] = []
  for (const candidate of new Set(candidates)) {
    const score = closeness(wanted, candidate.toLowerCase(), bound)
    if (score !== undefined) scored.push({ candidate, score })
  }
  return scored
    .sort((a, b) => a.score - b.score || a.candidate.localeCompare(b.candidate))
    .slice(0, limit)
    .map((s) => s.candidate)
}

/** Lower is nearer; undefined is too far. */
function closeness(wanted: string, candidate: string, bound: number): number | undefined {
  if (wanted.length >= 2 && (candidate.startsWith(wanted) || wanted.startsWith(candidate))) return 0.5
  if (Math.abs(wanted.length - candidate.length) <= bound) {
    const distance = editDistance(wanted, candidate)
    if (distance <= bound) return distance
  }
  return wanted.length >= 3 && candidate.includes(wanted) ? bound + 0.5 : undefined
}

/** Damerau–Levenshtein distance (optimal string alignment): a swap of neighbours is one slip of the fingers, not two. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1)
      row.push(best)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}
