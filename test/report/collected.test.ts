import { expect, test } from 'vitest'
import { collectedText, readNodeLine } from '../../src/report/collected.ts'

const read = { label: 'root@n1', node: 'n1', files: 20, pods: 1, bytes: 3 * 2 ** 20, missing: [] }
const failed = { label: 'n2', node: undefined, files: 0, pods: 0, bytes: 0, missing: ['node n2: not read: down'] }
const terminal = { colour: false, unicode: true }

test('what there is, and what is missing', () => {
  expect(collectedText({ path: 's.tar.gz', nodes: [read, failed], objects: 12, missing: failed.missing }, terminal).trimEnd()).toBe(
    's.tar.gz  12 objects, 1 node, 1 pod\nmissing\n  node n2: not read: down\n' +
      'next     netctl snapshot show s.tar.gz\n         netctl trace SRC DST --snapshot s.tar.gz',
  )
  expect(collectedText({ path: 'my s', nodes: [], objects: 2, missing: [] }, terminal)).toMatch(
    /^my s {2}2 objects\nnext +netctl snapshot show 'my s'\n/,
  )
  expect(collectedText({ path: 's', nodes: [read], objects: undefined, missing: ['\u001b[2J'] }, terminal)).toContain(
    '1 node, 1 pod\nmissing\n  \\x1b[2J',
  )
})

test('what several nodes lack is one line', () => {
  const missing = [
    'pods: not read',
    ...['n1', 'n2', 'n3', 'n4', 'n5'].map((node) => `nodes/${node}/sockets.txt: there is no ss`),
    'nodes/n2: changed while it was read',
    ...['n1', 'n4'].map((node) => `nodes/${node}: not read to its end: stopped`),
  ]
  expect(collectedText({ path: 's', nodes: [], objects: 1, missing }, terminal).trimEnd().split('\n').slice(2, -2)).toEqual([
    '  pods: not read',
    '  n1, n2, n3 and 2 more nodes: sockets.txt: there is no ss',
    '  nodes/n2: changed while it was read',
    '  n1, n4: not read to its end: stopped',
  ])
})

test('a node as it is done', () => {
  expect(readNodeLine(read)).toBe('root@n1 (n1): 20 files, 1 pod, 3.0 MiB')
  expect(readNodeLine(failed)).toBe('n2: not read')
})
