/** A named row of a table of expectations: a snapshot made up, flows through it, for both families. */
import { expect, test } from 'vitest'
import { type Made, walk } from './snapshot-builder.ts'

export function row(name: string, m: Made, flows: string, families: readonly (4 | 6)[] = [4, 6]): void {
  test.each(families)(`${name} (IPv%d)`, (family) => {
    const { got, want } = walk(m, flows, family)
    expect(got).toEqual(want)
  })
}
