import { type BitMatrix, rowOf } from './bit-matrix.ts'

/** Endpoints in classes that nothing tells apart so far. */
export interface Classes {
  /** by endpoint: the class it is in; -1: in none */
  readonly of: Int32Array
  /** by class: its first member, which stands for all */
  readonly first: readonly number[]
}

/** All of them in one class. */
export function oneClass(size: number, members: readonly number[]): Classes {
  const of = new Int32Array(size).fill(-1)
  for (const member of members) of[member] = 0
  return { of, first: members.slice(0, 1) }
}

/** Splits classes where rows of a matrix differ. */
export function splitBy({ of }: Classes, matrix: BitMatrix): Classes {
  const next = new Int32Array(of.length).fill(-1)
  const first: number[] = []
  // classes that begin with the same old class and hash: told apart by the words themselves
  const alike = new Map<string, number[]>()
  for (let index = 0; index < of.length; index++) {
    if (of[index] === -1) continue
    const row = rowOf(matrix, index)
    const key = `${of[index]} ${hash(row)}`
    let candidates = alike.get(key)
    if (!candidates) alike.set(key, (candidates = []))
    let found = candidates.find((candidate) => sameWords(row, rowOf(matrix, first[candidate] as number)))
    if (found === undefined) {
      found = first.push(index) - 1
      candidates.push(found)
    }
    next[index] = found
  }
  return { of: next, first }
}

/** Endpoints that are in one class by both. */
export function crossed(x: Classes, y: Classes): Int32Array {
  const numbers = new Map<string, number>()
  return x.of.map((own, index) => {
    if (own === -1) return -1
    const key = `${own} ${y.of[index]}`
    const known = numbers.get(key)
    if (known === undefined) numbers.set(key, numbers.size)
    return known ?? numbers.size - 1
  })
}

function hash(words: Uint32Array): number {
  let h = 0x811c9dc5
  for (let i = 0; i < words.length; i++) {
    h = Math.imul(h ^ (words[i] as number), 0x01000193)
    h ^= h >>> 15
  }
  return h
}

function sameWords(a: Uint32Array, b: Uint32Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
