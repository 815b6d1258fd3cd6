import { expect, test } from 'vitest'
import { readable } from '../../../src/cli/collect/nodes-by-api.ts'

const node = (name: string, ready?: string, os = 'linux') => ({
  metadata: { name, labels: { 'kubernetes.io/os': os } },
  status: { conditions: ready === undefined ? [] : [{ type: 'Ready', status: ready }] },
})

test('nodes that are not Ready come last; those that can not be read are told', () => {
  const nodes = [
    node('down', 'Unknown'),
    node('win', 'True', 'windows'),
    node('b', 'True'),
    node('new'),
    node('sick', 'False'),
    node('a', 'True'),
  ]
  expect(readable([...nodes, node('../x', 'True')])).toEqual({
    names: ['b', 'new', 'a', 'down', 'sick'],
    missing: ['nodes/win: not read: its system is Windows', 'nodes: one is left out, as "../x" can\'t be the name of a node'],
  })
})
