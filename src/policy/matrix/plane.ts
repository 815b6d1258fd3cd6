import { type BitMatrix, bitAt, bitMatrix, rowOf, transpose } from './bit-matrix.ts'

/**
 * One bit for every ordered pair of endpoints. Equal rows are kept once, and so are equal columns: of 10,000 endpoints that is a
 * hundredth of the memory, and there is one plane for each port class.
 */
export interface Plane {
  /** by endpoint: its row, its column */
  readonly row: Int32Array
  readonly column: Int32Array
  readonly cells: BitMatrix
}

/** The bit of a pair. */
export const pairAt = ({ row, column, cells }: Plane, source: number, destination: number): boolean =>
  bitAt(cells, row[source] as number, column[destination] as number)

/** A matrix with equal rows and columns kept once. */
export function planeOf(matrix: BitMatrix): Plane {
  const rows = distinct(matrix)
  const columns = distinct(transpose(rows.matrix))
  return { row: rows.of, column: columns.of, cells: transpose(columns.matrix) }
}

/** Each different row once, and where each row went. */
function distinct(matrix: BitMatrix): { readonly of: Int32Array; readonly matrix: BitMatrix } {
  const of = new Int32Array(matrix.rows)
  const first: number[] = []
  // rows of one hash are told apart by the words themselves
  const alike = new Map<number, number[]>()
  for (let index = 0; index < matrix.rows; index++) {
    const row = rowOf(matrix, index)
    const key = hash(row)
    let candidates = alike.get(key)
    if (!candidates) alike.set(key, (candidates = []))
    let found = candidates.find((candidate) => sameWords(row, rowOf(matrix, first[candidate] as number)))
    if (found === undefined) {
      found = first.push(index) - 1
      candidates.push(found)
    }
    of[index] = found
  }
  const kept = bitMatrix(first.length, matrix.columns)
  for (const [i, index] of first.entries()) rowOf(kept, i).set(rowOf(matrix, index))
  return { of, matrix: kept }
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
