import { describe, expect, test } from 'vitest'
import { ParseError } from '../../src/kernel/source.ts'
import { parseHeader } from '../../src/snapshot/header.ts'

const parse = (value: unknown) => parseHeader(JSON.stringify(value, null, 1), 'snapshot.json')

test('reads what is there and tolerates what it does not know', () => {
  const header = parse({
    kind: 'Snapshot',
    schemaVersion: 1,
    takenAt: '2026-01-01T00:00:00Z',
    missing: ['sockets'],
    future: { x: 1 },
    assume: {
      listeners: { 'pod/*': 'containerPorts', 'node/n1': ['tcp/22'] },
      forwarding: ['external/router'],
      routes: { '203.0.113.10/32': 'node/n1' },
      unknownDestination: 'dropped',
      more: 1,
    },
  })
  expect(header).toMatchObject({ schemaVersion: 1, takenAt: '2026-01-01T00:00:00Z', missing: ['sockets'] })
  expect(header.assume.forwarding).toEqual(['external/router'])
  expect(header.assume.listeners.constructor).toBeUndefined()
  expect({ ...header.assume.routes }).toEqual({ '203.0.113.10/32': 'node/n1' })
  expect(header.assume.unknownDestination).toBe('dropped')
})

describe('refuses', () => {
  test.each<[unknown, string, number]>([
    [{ schemaVersion: 2 }, 'newer netctl', 2],
    [{ schemaVersion: '1' }, 'schemaVersion', 2],
    [{ kind: 'Pod' }, 'kind', 2],
    [{ missing: 'sockets' }, 'missing', 2],
    [{ assume: [] }, 'assume', 2],
    [{ assume: { listeners: { 'pod/*': 'all' } } }, 'pod/*', 4],
    [{ assume: { listeners: { 'node/*': ['22'] } } }, 'node/*', 4],
    [{ assume: { listeners: { everything: ['tcp/22'] } } }, 'everything', 4],
    [{ assume: { forwarding: 'external/router' } }, 'forwarding', 3],
    [{ assume: { routes: { 'not-an-address': 'node/n1' } } }, 'not-an-address', 4],
    [{ assume: { routes: { '10.0.0.0/8': 'n1' } } }, '10.0.0.0/8', 4],
    [{ assume: { unknownDestination: 'delivered' } }, 'unknownDestination', 3],
    [[], 'object', 1],
  ])('%j', (value, why, line) => {
    try {
      parse(value)
      expect.unreachable('should have been refused')
    } catch (error) {
      expect(error).toBeInstanceOf(ParseError)
      expect(error).toMatchObject({ file: 'snapshot.json', line })
      expect((error as Error).message).toContain(why)
    }
  })

  test('text that is no JSON, with the line', () => {
    expect(() => parseHeader('{\n "schemaVersion": 1,\n oops }', 'snapshot.json')).toThrow(expect.objectContaining({ line: 3 }))
  })
})
