/** Rows of a comparison, and what must hold of any. */
import { expect } from 'vitest'
import type { Snapshot } from '../../../src/snapshot/types.ts'
import type { Walked } from '../../../src/trace/comparison/walked.ts'
import type { Aspect, ComparisonRow } from '../../../src/trace/types.ts'
import { aspects } from './expectations.ts'

export const acting = (rows: readonly ComparisonRow[], side: 'calico' | 'kubeProxy'): readonly Aspect[] =>
  rows.filter((r) => r[side].acted).map((r) => r.aspect)
export const row = (rows: readonly ComparisonRow[], aspect: Aspect): ComparisonRow => rows.find((r) => r.aspect === aspect) as ComparisonRow

/** What must hold of any comparison. */
export function sound(rows: readonly ComparisonRow[], w: Walked, snapshot: Snapshot): void {
  expect(rows.map((r) => r.aspect)).toEqual(aspects)
  const onPath = new Set(
    w.paths
      .flatMap((p) => [...p.hops, ...(p.reply?.hops ?? [])])
      .flatMap((h) => (h.evidence ? [`${h.evidence.file}:${h.evidence.line}`] : [])),
  )
  for (const r of rows) {
    for (const part of [r.calico, r.kubeProxy]) {
      expect(part.what).not.toBe('')
      for (const e of part.evidence) {
        expect(snapshot.line(e.file, e.line)).toBe(e.text)
        expect(onPath.has(`${e.file}:${e.line}`) || e.file.startsWith('cluster/')).toBe(true)
      }
      if (part.acted) expect(part.evidence.length).toBeGreaterThan(0)
    }
  }
}
