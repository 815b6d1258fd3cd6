import { expect, test } from 'vitest'
import { expectNodeName, expectSshHosts, strangers } from '../../src/cli/collecting.ts'

const read = (node: string | undefined) => ({ label: 'x', node, files: 1, pods: 0, bytes: 2, missing: [] })

test('a node that the cluster does not know is told; where nodes may not be listed, nothing is', () => {
  const objects = { count: 1, context: 'prod', nodes: new Set(['n1']), missing: [] }
  expect(strangers(objects, [read('n1'), read('ip-10-0-0-1'), read(undefined)])).toEqual([
    'nodes/ip-10-0-0-1: the cluster of prod has no node of this name',
  ])
  expect(strangers({ ...objects, nodes: undefined }, [read('n2')])).toEqual([])
})

test('names of nodes and hosts', () => {
  expect(expectNodeName('ip-10-0-0-1.ec2.internal')).toBe('ip-10-0-0-1.ec2.internal')
  for (const name of ['', '..', '-a', 'N1', 'a/b', 'a b']) expect(() => expectNodeName(name)).toThrow('--node')
  expect(expectSshHosts(['n1', 'root@[fd00::1]', 'n1'])).toEqual(['n1', 'root@[fd00::1]'])
  for (const host of ['', '-oProxyCommand=x', 'a b', 'a\nb']) expect(() => expectSshHosts([host])).toThrow('--ssh')
})
