import { expect, test } from 'vitest'
import { strangers } from '../../../src/cli/collect/collected-objects.ts'

const read = (node: string | undefined) => ({ label: 'x', node, files: 1, pods: 0, bytes: 2, missing: [] })

test('a node that the cluster does not know is told; where nodes may not be listed, nothing is', () => {
  const objects = { count: 1, context: 'prod', nodes: new Set(['n1']), missing: [] }
  expect(strangers(objects, [read('n1'), read('ip-10-0-0-1'), read(undefined)])).toEqual([
    'nodes/ip-10-0-0-1: the cluster of prod has no node of this name',
  ])
  expect(strangers({ ...objects, nodes: undefined }, [read('n2')])).toEqual([])
})
