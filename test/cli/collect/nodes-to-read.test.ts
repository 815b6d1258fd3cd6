import { expect, test } from 'vitest'
import { expectNodeName, expectSshHosts } from '../../../src/cli/collect/nodes-to-read.ts'

test('names of nodes and hosts', () => {
  expect(expectNodeName('ip-10-0-0-1.ec2.internal')).toBe('ip-10-0-0-1.ec2.internal')
  for (const name of ['', '..', '-a', 'N1', 'a/b', 'a b']) expect(() => expectNodeName(name)).toThrow('--node')
  expect(expectSshHosts(['n1', 'root@[fd00::1]', 'n1'])).toEqual(['n1', 'root@[fd00::1]'])
  for (const host of ['', '-oProxyCommand=x', 'a b', 'a\nb']) expect(() => expectSshHosts([host])).toThrow('--ssh')
})
