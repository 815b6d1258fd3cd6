import { expect, test } from 'vitest'
import { resolvePlain } from '../../../src/cluster/manifest/plain-scalar.ts'

// by go-yaml v2's resolve.go and Go's strconv.ParseInt(…, 0, 64), as sigs.k8s.io/yaml uses them
test.each<[string, unknown]>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON', 'true', 'True', 'TRUE'].map((w): [string, unknown] => [w, true]),
  ...['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF', 'false', 'False', 'FALSE'].map((w): [string, unknown] => [w, false]),
  ...['', '~', 'null', 'Null', 'NULL'].map((w): [string, unknown] => [w, null]),
  ['0', 0],
  ['80', 80],
  ['-5', -5],
  ['+12', 12],
  ['-0', 0],
  ['0777', 511],
  ['0o17', 15],
  ['0x1F', 31],
  ['-0x10', -16],
  ['0b101', 5],
  ['1_000', 1000],
  ['08', 8],
  ['1.5', 1.5],
  ['.5', 0.5],
  ['1e3', 1000],
  ['1.', 1],
  ['.inf', Number.POSITIVE_INFINITY],
  ['-.INF', Number.NEGATIVE_INFINITY],
  ['.nan', Number.NaN],
])('%s is no text', (text, value) => {
  expect(resolvePlain(text)).toEqual(value)
})

test.each([
  'yEs',
  'nope',
  'trUe',
  'oN',
  '2024-01-02',
  '2024-01-02T10:00:00Z',
  '1.2.3.4',
  '10.0.0.0/8',
  '1:30',
  '0x',
  '0b',
  '0b2',
  '-',
  '+',
  '.',
  '1e',
  'a_1',
  '12h',
  '٣',
])('%s is a text', (text) => {
  expect(resolvePlain(text)).toBe(text)
})
