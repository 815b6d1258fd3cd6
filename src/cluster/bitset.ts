/**
 * Sets of small numbers (the places of things in a list) as bits: what 10,000 endpoints need to be compared by the thousand.
 * Sets that meet have one size. `unite`, `intersect` and `subtract` change their first argument and return it: `.slice()` copies.
 */
export type Bitset = Uint32Array

/** The empty set of numbers from 0 to size - 1. */
export const emptySet = (size: number): Bitset => new Uint32Array((size + 31) >>> 5)

/** The set of all numbers from 0 to size - 1. */
export function fullSet(size: number): Bitset {
  const set = emptySet(size).fill(0xffffffff)
  // bits beyond the size stay clear, so that counts and complements are right
  if (size & 31) set[set.length - 1] = 2 ** (size & 31) - 1
  return set
}

/** Adds a member. */
export function include(set: Bitset, member: number): void {
  set[member >>> 5] = (set[member >>> 5] as number) | (1 << (member & 31))
}

/** Whether it is a member. */
export const includes = (set: Bitset, member: number): boolean => (((set[member >>> 5] ?? 0) >>> (member & 31)) & 1) === 1

/** `set`, with the members of `other` added. */
export function unite(set: Bitset, other: Bitset): Bitset {
  for (let i = 0; i < set.length; i++) set[i] = (set[i] as number) | (other[i] as number)
  return set
}

/** `set`, with no members but those of `other`. */
export function intersect(set: Bitset, other: Bitset): Bitset {
  for (let i = 0; i < set.length; i++) set[i] = (set[i] as number) & (other[i] as number)
  return set
}

/** `set`, without the members of `other`. */
export function subtract(set: Bitset, other: Bitset): Bitset {
  for (let i = 0; i < set.length; i++) set[i] = (set[i] as number) & ~(other[i] as number)
  return set
}

/** Whether two sets share a member. */
export function overlap(set: Bitset, other: Bitset): boolean {
  for (let i = 0; i < set.length; i++) if (((set[i] as number) & (other[i] as number)) !== 0) return true
  return false
}

/** Whether it has no member. */
export function isEmpty(set: Bitset): boolean {
  for (let i = 0; i < set.length; i++) if (set[i] !== 0) return false
  return true
}

/** How many members a set has. */
export function count(set: Bitset): number {
  let n = 0
  for (let i = 0; i < set.length; i++) n += ones(set[i] as number)
  return n
}

function ones(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555)
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333)
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** The members, lowest first. */
export function* members(set: Bitset): Generator<number, void, undefined> {
  for (let i = 0; i < set.length; i++) {
    for (let word = set[i] as number; word !== 0; word &= word - 1) yield i * 32 + 31 - Math.clz32(word & -word)
  }
}
