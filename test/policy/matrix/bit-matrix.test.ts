import { expect, it } from 'vitest'
import { include } from '../../../src/cluster/bitset.ts'
import { bitAt, bitMatrix, rowOf, transpose } from '../../../src/policy/matrix/bit-matrix.ts'

it('a transposed matrix has columns for rows, whatever its size', () => {
  for (const size of [0, 1, 31, 32, 33, 70]) {
    const matrix = bitMatrix(size)
    const set = (row: number, column: number): boolean => (row * 7 + column * 13 + row * column) % 5 < 2
    for (let row = 0; row < size; row++)
      for (let column = 0; column < size; column++) if (set(row, column)) include(rowOf(matrix, row), column)
    const turned = transpose(matrix)
    for (let row = 0; row < size; row++)
      for (let column = 0; column < size; column++) expect(bitAt(turned, column, row)).toBe(set(row, column))
    expect(transpose(turned)).toEqual(matrix)
  }
})
