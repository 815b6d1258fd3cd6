import { expect, test } from 'vitest'
import { keptReading } from '../../src/live/kept.ts'
import type { Piece, Reading, Wanted } from '../../src/live/piece.ts'
import type { Cache, CacheEntry } from '../../src/system/cache.ts'

function memory(): Cache & { readonly entries: Map<string, CacheEntry> } {
  const entries = new Map<string, CacheEntry>()
  return { entries, read: (name) => entries.get(name), write: (name, entry) => void entries.set(name, entry) }
}

function source() {
  const asked: string[] = []
  let time = 1_000_000
  const piece = (pods: readonly string[] = [], whole = true): Piece => ({
    takenAt: time,
    endedAt: time + 1,
    files: new Map(),
    missing: [],
    pods,
    whole,
    by: 'exec',
  })
  const reading: Reading = {
    async objects() {
      asked.push('objects')
      return piece()
    },
    async nodes(wanted: readonly Wanted[]) {
      asked.push(...wanted.map(({ node, pods }) => [node, ...pods].join(' ')))
      return new Map(wanted.map(({ node, pods }) => [node, node === 'down' ? 'down could not be read: no' : piece(pods, node !== 'cut')]))
    },
  }
  return { asked, reading, now: () => time, later: (ms: number) => void (time += ms) }
}

test('what is young enough is not read again; each part has its own age', async () => {
  const { asked, reading, now, later } = source()
  const kept = keptReading(reading, memory(), { maxAgeMs: 30_000, now, ways: 'auto' })
  await kept.objects()
  later(20_000)
  await kept.nodes([{ node: 'n1', pods: ['a/b'] }])
  expect(await kept.objects()).toMatchObject({ takenAt: 1_000_000, endedAt: 1_000_001, kept: true })
  later(10_001)
  expect((await kept.objects()).kept).toBeUndefined()
  expect((await kept.nodes([{ node: 'n1', pods: [] }])).get('n1')).toMatchObject({
    takenAt: 1_020_000,
    kept: true,
    by: 'exec',
    pods: ['a/b'],
  })
  expect(asked).toEqual(['objects', 'n1 a/b', 'objects'])
})

test('a clock that was put back makes nothing young', async () => {
  const { asked, reading, now, later } = source()
  const kept = keptReading(reading, memory(), { maxAgeMs: 30_000, now, ways: 'auto' })
  await kept.objects()
  later(-1)
  await kept.objects()
  expect(asked).toHaveLength(2)
})

test('a node without the pod that is wanted is read again, with all pods that were', async () => {
  const { asked, reading, now } = source()
  const kept = keptReading(reading, memory(), { maxAgeMs: 30_000, now, ways: 'auto' })
  await kept.nodes([{ node: 'n1', pods: ['a/b'] }])
  await kept.nodes([{ node: 'n1', pods: ['a/c'] }])
  await kept.nodes([{ node: 'n1', pods: ['a/b'] }])
  expect(asked).toEqual(['n1 a/b', 'n1 a/b a/c'])
})

test('what could not be read, or broke off, is tried again', async () => {
  const { asked, reading, now } = source()
  const kept = keptReading(reading, memory(), { maxAgeMs: 30_000, now, ways: 'auto' })
  for (const _ of [1, 2])
    await kept.nodes([
      { node: 'down', pods: [] },
      { node: 'cut', pods: [] },
      { node: 'n1', pods: [] },
    ])
  expect(asked).toEqual(['down', 'cut', 'n1', 'down', 'cut'])
})

test('another way has entries of its own; the objects are the same', async () => {
  const { asked, reading, now } = source()
  const cache = memory()
  for (const ways of ['exec', 'pod']) {
    const kept = keptReading(reading, cache, { maxAgeMs: 30_000, now, ways })
    await kept.objects()
    await kept.nodes([{ node: 'n1', pods: [] }])
  }
  expect(asked).toEqual(['objects', 'n1', 'n1'])
})

test.each([null, 1, {}, { takenAt: 'x', missing: [], pods: [] }, { takenAt: 1_000_000, missing: [1], pods: [] }])(
  'an entry that says %j is none',
  async (about) => {
    const { asked, reading, now } = source()
    const cache = memory()
    cache.entries.set('objects', { about, files: new Map() })
    await keptReading(reading, cache, { maxAgeMs: 30_000, now, ways: 'auto' }).objects()
    expect(asked).toEqual(['objects'])
  },
)

test('objects of which a kind could not be listed are asked for again', async () => {
  const { asked, reading, now } = source()
  const part = { ...reading, objects: async () => ({ ...(await reading.objects()), whole: false }) }
  const kept = keptReading(part, memory(), { maxAgeMs: 30_000, now, ways: 'auto' })
  await kept.objects()
  await kept.objects()
  expect(asked).toEqual(['objects', 'objects'])
})
