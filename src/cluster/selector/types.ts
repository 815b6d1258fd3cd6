/**
 * A condition on labels. Calico's selector language (libcalico-go/lib/selector) has every operator there is; a LabelSelector of
 * Kubernetes is read into the same shapes. `values` are sorted and unique.
 */
export type Selector =
  | { readonly kind: 'all' }
  /** only meaningful as a whole namespaceSelector of a rule: what is in no namespace. By itself it holds for everything. */
  | { readonly kind: 'global' }
  | { readonly kind: 'has'; readonly key: string }
  | {
      readonly kind: 'equal' | 'notEqual' | 'contains' | 'startsWith' | 'endsWith'
      readonly key: string
      readonly value: string
    }
  | { readonly kind: 'in' | 'notIn'; readonly key: string; readonly values: readonly string[] }
  | { readonly kind: 'not'; readonly operand: Selector }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Selector[] }

/** What a selector is asked about. A Map is one; so is anything that finds a label by its key. */
export interface Labels {
  get(key: string): string | undefined
}

/** Labels that can be listed too, each key once: what an index is made of. A Map is one. */
export interface LabelSet extends Labels, Iterable<readonly [key: string, value: string]> {}

/** `!all()`: what selects nothing. */
export const NOTHING: Selector = { kind: 'not', operand: { kind: 'all' } }

/** Both or all must hold; one alone stands for itself. */
export function allOf(operands: readonly Selector[]): Selector {
  const [first, ...others] = operands
  if (first === undefined) return { kind: 'all' }
  return others.length === 0 ? first : { kind: 'and', operands }
}

/** `values` as selectors hold them: each once, in the order of their UTF-8 bytes, as Go sorts text. */
export function valueSet(values: Iterable<string>): readonly string[] {
  return [...new Set(values)].sort(byBytes)
}

/** Order of UTF-8 bytes. UTF-16 units give the same, but for surrogates, which stand for code points above U+E000…U+FFFF. */
export function byBytes(a: string, b: string): number {
  const end = Math.min(a.length, b.length)
  for (let i = 0; i < end; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

const rank = (unit: number): number => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit)
