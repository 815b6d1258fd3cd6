import { NetctlError } from '../../error.ts'
import { nearest } from '../../nearest.ts'
import { parsePort } from '../../policy/matrix/asked-ports.ts'
import { isInMatrix, matrixOf } from '../../policy/matrix/matrix.ts'
import { portClasses } from '../../policy/matrix/ports.ts'
import { type Layout, partiesOf, tableRows, type Wanted } from '../../policy/matrix/table.ts'
import { glob } from '../../policy/test/glob.ts'
import type { PolicyWorld } from '../../policy/world.ts'
import { matrixCsv, matrixJson, matrixJsonLines } from '../../report/policy/matrix-json.ts'
import { type MatrixTable, matrixText } from '../../report/policy/matrix-text.ts'
import type { Terminal } from '../terminal.ts'
import { expectSomebody } from './world.ts'

export interface MatrixFlags {
  readonly port?: readonly string[] | undefined
  readonly from?: readonly string[] | undefined
  readonly to?: readonly string[] | undefined
  readonly by: Layout
  readonly output: 'text' | 'csv' | 'json' | 'jsonl'
}

/** The answer, piece by piece. Throws PWH004 where nobody is there. */
export function matrixPieces(world: PolicyWorld, flags: MatrixFlags, terminal: Terminal): Iterable<string> {
  expectSomebody(world.endpoints, 'in the input')
  const [from, to] = [wanted(world, 'from', flags.from), wanted(world, 'to', flags.to)]
  const matrix = matrixOf(world, flags.port?.map(parsePort) ?? portClasses([world]))
  const sources = partiesOf(matrix, matrix.sources, flags.by, from)
  const destinations = partiesOf(matrix, matrix.destinations, flags.by, to)
  const table: MatrixTable = { matrix, layout: flags.by, sources, destinations, rows: tableRows(matrix, sources, destinations) }
  switch (flags.output) {
    case 'text':
      return matrixText(table, terminal)
    case 'csv':
      return matrixCsv(table)
    case 'json':
      return matrixJson(table)
    case 'jsonl':
      return matrixJsonLines(table)
  }
}

/** Endpoints whose name fits one of the patterns. Throws PWH001 for a pattern that none fits. */
function wanted(world: PolicyWorld, flag: string, patterns: readonly string[] | undefined): Wanted {
  if (!patterns) return () => true
  const globs = patterns.map(glob)
  const ids = world.endpoints.filter(isInMatrix).map(({ id }) => id)
  for (const { text, matches } of globs) {
    if (ids.some(matches)) continue
    throw new NetctlError({
      code: 'PWH001',
      message: `--${flag} ${text} fits no pod or workload`,
      try: nearest(text, ids).join(', ') || 'a name as in NAMESPACE/POD, or a pattern such as shop/*',
    })
  }
  return ({ id }) => globs.some(({ matches }) => matches(id))
}
