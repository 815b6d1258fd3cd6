import type { NftRuleset, NftTable } from '../../../src/kernel/nftables/types.ts'
import { isXtables } from '../../../src/kernel/nftables/xtables.ts'

/** A ruleset in a form that can be compared: what one load gives differently from the next is left out, and sets have no order. */
export const comparable = (ruleset: NftRuleset): unknown =>
  plain(
    ruleset.tables.filter((t) => !isXtables(t)),
    new Set(['line', 'handle', 'expires']),
  )

/** Without what the JSON of nft 1.0 leaves out, and without what changes `meanwhile`. */
export function comparableForms(ruleset: NftRuleset, ...meanwhile: readonly string[]): unknown {
  const left = new Set(['line', 'handle', 'expires', 'typeof', 'autoMerge', 'devices', ...meanwhile])
  const withoutComments = (t: NftTable): NftTable => {
    const { comment: _, ...table } = t
    return { ...table, chains: new Map([...t.chains].map(([name, { comment: __, ...chain }]) => [name, chain])) }
  }
  return plain(ruleset.tables.filter((t) => !isXtables(t)).map(withoutComments), left)
}

export function plain(value: unknown, left: ReadonlySet<string>): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Map) return Object.fromEntries([...value].map(([k, v]) => [k, plain(v, left)]))
  if (Array.isArray(value)) return value.map((v) => plain(v, left))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.keys(value).flatMap((key) => {
    const v = (value as Record<string, unknown>)[key]
    if (left.has(key) || v === undefined) return []
    if (key === 'flags') return [[key, (v as readonly string[]).filter((f) => f !== 'dynamic')]]
    const made = plain(v, left)
    return [[key, key === 'elements' ? sorted(made as readonly unknown[]) : made]]
  })
  return Object.fromEntries(entries.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)))
}

const sorted = (list: readonly unknown[]): readonly unknown[] =>
  list
    .map((e) => [JSON.stringify(e), e] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, e]) => e)

/** The texts of all statements that were not understood. */
export function notUnderstood(ruleset: NftRuleset): readonly string[] {
  const found: string[] = []
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const { kind, text } = value as { kind?: unknown; text?: unknown }
    if (kind === 'other') found.push(String(text))
    for (const child of value instanceof Map ? value.values() : Object.values(value)) look(child)
  }
  look(ruleset.tables.filter((t) => !isXtables(t)))
  return found
}
