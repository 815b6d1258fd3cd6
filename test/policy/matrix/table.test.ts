import { expect, it } from 'vitest'
import { matrixOf, verdictAt } from '../../../src/policy/matrix/matrix.ts'
import { portClasses } from '../../../src/policy/matrix/ports.ts'
import { LAYOUTS, partiesOf, tableRows } from '../../../src/policy/matrix/table.ts'
import { randomCluster } from '../random/cluster.ts'
import { worldOfText } from '../world.ts'

it('a cell says how all, some or none of its pairs fare, in every layout', () => {
  for (let seed = 0; seed < 40; seed++) {
    const { objects } = randomCluster(seed, 0)
    const world = worldOfText(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
    const matrix = matrixOf(world, portClasses([world]))
    for (const layout of LAYOUTS) {
      const destinations = partiesOf(matrix, matrix.destinations, layout, ({ index }) => index % 3 !== 0)
      for (const { source, cells } of tableRows(
        matrix,
        partiesOf(matrix, matrix.sources, layout, () => true),
        destinations,
      )) {
        for (const [column, cell] of cells.entries()) {
          const pairs = source.members.flatMap((s) =>
            (destinations[column]?.members ?? []).flatMap((d) => (s === d ? [] : [[s.index, d.index] as const])),
          )
          if (pairs.length === 0) expect(cell).toBe(undefined)
          for (const [i, cells] of matrix.cells.entries()) {
            if (pairs.length === 0) continue
            const verdicts = pairs.map(([s, d]) => verdictAt(cells, s, d))
            const special = ['unknown', 'ambiguous', 'undefined', 'l4-only'].filter((kind) => verdicts.some((verdict) => verdict === kind))
            expect(cell?.special[i]).toEqual(special)
            // plain ones have no other closest answer
            if (special.length > 0) continue
            const share = verdicts.every((x) => x === 'allow') ? 'all' : verdicts.every((x) => x === 'deny') ? 'none' : 'some'
            expect(cell?.ports[i]).toBe(share)
          }
        }
      }
    }
  }
})
