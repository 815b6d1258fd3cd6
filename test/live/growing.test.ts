/** A cluster that is read as a flow needs it answers as the whole recording of it does, and no more of it is read than that takes. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openGrowing } from '../../src/live/growing.ts'
import { loadSnapshot } from '../../src/snapshot/load.ts'
import { memoryFiles } from '../../src/system/files-memory.ts'
import { traceFlow } from '../../src/trace/trace.ts'
import type { Flow } from '../../src/trace/types.ts'
import { captureNames, captures } from '../support/captures.ts'
import { needs, root } from '../support/needs.ts'
import { flowOf, truthOf } from '../support/predict.ts'
import { recorded } from '../support/recorded-reading.ts'

describe.runIf(needs('captures')).each(needs('captures') ? captureNames().filter((n) => !n.startsWith('scale')) : [])('%s', (name) => {
  test.each([true, false])(
    'the answer is that of the whole cluster; hosts outside it are known: %s',
    { timeout: 300_000 },
    async (outside) => {
      const folder = join(captures, name)
      const { files, reading } = recorded(folder, { outside })
      const whole = loadSnapshot(memoryFiles('c', files))
      const flows = truthOf(folder).map(flowOf)
      const step = Math.ceil(flows.length / 8)
      for (const flow of flows.filter((_, i) => i % step === 0)) {
        const source = reading()
        const live = await openGrowing('c', '1', source, () => 0)
        const snapshot = await live.cover([flow])
        const asked = JSON.stringify({ flow, asked: source.asked })
        expect(traceFlow(snapshot, flow), asked).toEqual(traceFlow(whole, flow))
      }
    },
  )
})

const pod = (name: string) => ({ kind: 'pod', name }) as const
const example = recorded(join(root, 'examples/shop'), { outside: false })

test('what a walk comes to is read, and nothing else', async () => {
  const cases: readonly (readonly [Flow, string])[] = [
    // both on n1
    [{ from: pod('shop/web-1'), proto: 'tcp', dst: '10.244.40.130', port: 7001 }, 'n1 shop/web-1 | n1 shop/notready shop/web-1'],
    // rejected before it leaves its node
    [{ from: pod('shop/web-1'), proto: 'tcp', dst: '10.96.95.191', port: 80 }, 'n1 shop/web-1'],
    // a node port at a node that is none of the backends'
    [
      { from: { kind: 'external', ip: '203.0.113.9' }, proto: 'tcp', dst: '172.18.0.12', port: 30080 },
      'n2 shop/web-2 | n1 shop/web-1, n3 shop/web-3',
    ],
  ]
  for (const [flow, expected] of cases) {
    const source = example.reading()
    await (await openGrowing('c', '1', source, () => 0)).cover([flow])
    expect(source.asked.map((batch) => batch.map(({ node, pods }) => [node, ...pods].join(' ')).join(', ')).join(' | ')).toBe(expected)
  }
})

test('flows share what was read; a node is read again for a pod that nobody thought of', async () => {
  const source = example.reading()
  const live = await openGrowing('c', '1', source, () => 0)
  await live.cover([{ from: pod('shop/web-1'), proto: 'tcp', dst: '10.96.66.150', port: 80 }])
  const before = source.asked.flat().length
  await live.cover([{ from: pod('shop/web-1'), proto: 'tcp', dst: '10.244.98.2', port: 8080 }])
  expect(source.asked.flat().length).toBe(before)
  await live.cover([{ from: pod('shop/web-1'), proto: 'tcp', dst: '10.244.98.1', port: 8081 }])
  expect(source.asked.at(-1)).toEqual([{ node: 'n3', pods: ['shop/api-2', 'shop/web-3'] }])
})

test('a node that could not be read is asked once, and what comes to it is undecided with the reason', async () => {
  const source = example.reading((node) => (node === 'n3' ? 'n3 could not be read: no route to host' : undefined))
  const live = await openGrowing('c', '1', source, () => 0)
  const flow: Flow = { from: pod('shop/web-1'), proto: 'tcp', dst: '10.96.66.150', port: 80 }
  const snapshot = await live.cover([flow, flow])
  await live.cover([flow])
  expect(source.asked.flat().filter(({ node }) => node === 'n3')).toHaveLength(1)
  expect(traceFlow(snapshot, flow).outcomes).toMatchObject([
    { verdict: 'delivered', endpoint: 'pod/shop/api-1', probability: 0.5 },
    { verdict: 'undecided', node: 'n3', reason: 'n3 could not be read: no route to host', probability: 0.5 },
  ])
})

test('the question is about now: what was read is told how long ago that was', async () => {
  let time = 1000
  const inner = example.reading()
  const source: typeof inner = {
    ...inner,
    async nodes(wanted) {
      const read = await inner.nodes(wanted)
      return new Map(
        [...read].map(([node, piece]) => [node, typeof piece === 'string' ? piece : { ...piece, takenAt: 2000, endedAt: 4000 }]),
      )
    },
  }
  const live = await openGrowing('c', '1', source, () => time)
  const flow: Flow = { from: pod('shop/web-1'), proto: 'tcp', dst: '10.244.40.130', port: 7001 }
  time = 5000
  await live.cover([flow])
  time = 9000
  // nothing more is read, and yet it is another moment
  const { moments } = await live.cover([flow])
  expect(moments?.asked).toEqual({ from: 9000, to: 9000 })
  expect(moments?.read.get('node/n1')).toEqual({ from: 2000, to: 4000 })
  expect(moments?.read.get('pod/shop/web-1')).toEqual({ from: 2000, to: 4000 })
})
