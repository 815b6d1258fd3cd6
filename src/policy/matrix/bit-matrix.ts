import type { Bitset } from '../../cluster/bitset.ts'

/** Rows of bits: for each of some things a set of others. */
export interface BitMatrix {
  readonly rows: number
  readonly columns: number
  /** words of a row */
  readonly width: number
  readonly bits: Uint32Array
}

/** A matrix of zeros. */
export function bitMatrix(rows: number, columns: number): BitMatrix {
  const width = (columns + 31) >>> 5
  return { rows, columns, width, bits: new Uint32Array(rows * width) }
}

/** A row, as a set that can be changed. */
export const rowOf = ({ bits, width }: BitMatrix, row: number): Bitset => bits.subarray(row * width, (row + 1) * width)

/** Whether a bit is set. */
export const bitAt = ({ bits, width }: BitMatrix, row: number, column: number): boolean =>
  (((bits[row * width + (column >>> 5)] as number) >>> (column & 31)) & 1) === 1

/** Columns as rows: 32 × 32 bits at a time (Warren, Hacker's Delight, §7-3). */
export function transpose({ rows, columns, width, bits }: BitMatrix): BitMatrix {
  const result = bitMatrix(columns, rows)
  const block = new Uint32Array(32)
  for (let top = 0; top < rows; top += 32) {
    const height = Math.min(32, rows - top)
    for (let word = 0; word < width; word++) {
      let any = 0
      for (let i = 0; i < 32; i++) any |= block[i] = i < height ? (bits[(top + i) * width + word] as number) : 0
      if (any === 0) continue
      turn(block)
      const wide = Math.min(32, columns - word * 32)
      for (let i = 0; i < wide; i++) result.bits[(word * 32 + i) * result.width + (top >>> 5)] = block[i] as number
    }
  }
  return result
}

/** Transposes 32 words of 32 bits, bit 0 being the first column. */
function turn(block: Uint32Array): void {
  let mask = 0x0000ffff
  for (let step = 16; step !== 0; step >>>= 1, mask ^= mask << step) {
    for (let k = 0; k < 32; k = ((k | step) + 1) & ~step) {
      const a = block[k] as number
      const b = block[k | step] as number
      const swap = ((a >>> step) ^ b) & mask
      block[k] = a ^ (swap << step)
      block[k | step] = b ^ swap
    }
  }
}
