import { expect, it } from 'vitest'
import { include } from '../../../src/cluster/bitset.ts'
import { type BitMatrix, bitAt, bitMatrix, rowOf, transpose } from '../../../src/policy/matrix/bit-matrix.ts'
import { pairAt, planeOf } from '../../../src/policy/matrix/plane.ts'

function matrixOf(rows: number, columns: number, set: (row: number, column: number) => boolean): BitMatrix {
  const matrix = bitMatrix(rows, columns)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) if (set(row, column)) include(rowOf(matrix, row), column)
  return matrix
}

const SIZES = [0, 1, 31, 32, 33, 70]

it('a transposed matrix has columns for rows, whatever its size', () => {
  const set = (row: number, column: number): boolean => (row * 7 + column * 13 + row * column) % 5 < 2
  for (const rows of SIZES) {
    for (const columns of SIZES) {
      const matrix = matrixOf(rows, columns, set)
      const turned = transpose(matrix)
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++) expect(bitAt(turned, column, row)).toBe(set(row, column))
      expect(transpose(turned)).toEqual(matrix)
    }
  }
})

it('a plane keeps equal rows and columns once, and every bit', () => {
  const set = (row: number, column: number): boolean => (row % 4) * (column % 3) === 2
  const plane = planeOf(matrixOf(70, 70, set))
  for (let row = 0; row < 70; row++) for (let column = 0; column < 70; column++) expect(pairAt(plane, row, column)).toBe(set(row, column))
  // rows 0 and 3 of each four are empty, and so is the first column of each three
  expect([plane.cells.rows, plane.cells.columns]).toEqual([3, 3])
})
