import { expect, test } from 'vitest'
import { probeScript, stopScript, watchScript } from '../../src/verify/scripts.ts'
import type { Probe, Tuple, WatchOrder } from '../../src/verify/types.ts'
import { texts } from '../support/node-scripts.ts'

const id = 'abcdefgh12345678'
const tuple: Tuple = { proto: 'tcp', src: '10.0.0.1', dst: '10.96.0.1', sport: 40000, dport: 80 }
const order: WatchOrder = { id, spaces: ['node'], tuples: [tuple], seconds: 30 }
const probe: Probe = { id: 'p1', space: 'node', proto: 'tcp', dst: '10.96.0.1', sport: 40000, dport: 80, patienceMs: 3000 }

/** What a person, a cluster or a dump might say; nothing of it may become shell or nft. */
const hostile = ['$(id)', '`id`', 'a;b', "a'b", 'a\nEND\nid', '10.0.0.1 }', '::FFFF', 'fd00::1%eth0', '-', '']

test.each(hostile)('nothing but canonical addresses: %j', (word) => {
  expect(() => watchScript({ ...order, tuples: [{ ...tuple, src: word }] }, texts)).toThrow(TypeError)
  expect(() => watchScript({ ...order, tuples: [{ ...tuple, dst: word }] }, texts)).toThrow(TypeError)
  const inside = { kind: 'vxlan', src: word, dst: '172.18.0.3', port: 4789 } as const
  expect(() => watchScript({ ...order, tuples: [{ ...tuple, inside }] }, texts)).toThrow(TypeError)
  expect(() => probeScript(id, [{ ...probe, dst: word }], texts)).toThrow(TypeError)
  expect(() => probeScript(id, [{ ...probe, src: word }], texts)).toThrow(TypeError)
})

test.each(hostile)('nothing but names that Kubernetes has, and ids of our own: %j', (word) => {
  for (const space of [
    { namespace: word, name: 'web' },
    { namespace: 'shop', name: word },
  ]) {
    expect(() => watchScript({ ...order, spaces: [space] }, texts)).toThrow(TypeError)
    expect(() => probeScript(id, [{ ...probe, space }], texts)).toThrow(TypeError)
  }
  expect(() => stopScript(word, texts)).toThrow(TypeError)
  expect(() => probeScript(id, [{ ...probe, id: `${word} ` }], texts)).toThrow(TypeError)
  expect(() => probeScript(id, [{ ...probe, data: `${word}x` }], texts)).toThrow(TypeError)
})

test.each([-1, 65536, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('nothing but ports: %d', (port) => {
  expect(() => watchScript({ ...order, tuples: [{ ...tuple, sport: port }] }, texts)).toThrow(TypeError)
  expect(() => watchScript({ ...order, tuples: [{ ...tuple, dport: port }] }, texts)).toThrow(TypeError)
  expect(() => probeScript(id, [{ ...probe, dport: port }], texts)).toThrow(TypeError)
})

test('a tuple without any address would be every packet', () => {
  expect(() => watchScript({ ...order, tuples: [{ proto: 'tcp', dport: 80 }] }, texts)).toThrow(TypeError)
})
