import { expect, test } from 'vitest'
import { walkFlows } from '../../../src/cli/trace/walk-flows.ts'
import { loadSnapshot } from '../../../src/snapshot/load.ts'
import type { Changed, Snapshot } from '../../../src/snapshot/types.ts'
import { openFolder } from '../../../src/system/files-folder.ts'
import { example, spied } from '../../snapshot/damage.ts'

const line = {
  line: 1,
  flow: { from: { kind: 'pod', name: 'shop/web-1' }, proto: 'tcp', dst: '10.96.66.150', port: 80, state: 'new' },
} as const

test.each<[string, ((snapshot: Snapshot) => Changed) | undefined]>([
  ['this world', undefined],
  ['a supposed one, too', (snapshot) => ({ snapshot: { ...snapshot, down: new Set(['node/n3']) }, changes: [] })],
])('many flows go on with the snapshot that has let go of its hosts: %s', (_, suppose) => {
  const { source, read } = spied(openFolder(example))
  const snapshot = loadSnapshot(source, { hosts: new Map() }, 0)
  const reads: boolean[] = []
  for (const { trace } of walkFlows(snapshot, [line, line, line], { suppose })) {
    expect(trace.outcomes.length).toBeGreaterThan(0)
    reads.push(read.has('nodes/n1/iptables-save.txt'))
    read.clear()
  }
  // the first is more than may be held; what one flow takes alone is kept from then on
  expect(reads).toEqual([true, true, false])
})
