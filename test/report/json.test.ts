import { describe, expect, test } from 'vitest'
import { traceJson, traceJsonLine, traceYaml } from '../../src/report/json.ts'
import { hostile, all as others } from './fixtures/others.ts'
import { fifty, oneDenied } from './fixtures/service.ts'

describe.each(Object.entries({ oneDenied, fifty, ...others }))('%s', (_name, trace) => {
  test('loses nothing', () => {
    const plain: unknown = JSON.parse(JSON.stringify(trace))
    expect(JSON.parse(traceJson(trace))).toEqual(plain)
    expect(JSON.parse(traceJsonLine(trace))).toEqual(plain)
    // the second time from what was kept
    expect(JSON.parse(traceJsonLine(trace))).toEqual(plain)
  })

  test('is one line', () => {
    expect(traceJsonLine(trace).indexOf('\n')).toBe(traceJsonLine(trace).length - 1)
  })

  test('brief leaves the proof out', () => {
    const { paths: _paths, comparison: _comparison, ...rest } = JSON.parse(JSON.stringify(trace))
    expect(JSON.parse(traceJsonLine(trace, { brief: true }))).toEqual(rest)
    expect(JSON.parse(traceJson(trace, { brief: true }))).toEqual(rest)
  })
})

test('holds nothing that a terminal obeys', () => {
  const unsafe = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/
  expect(traceJson(hostile)).not.toMatch(unsafe)
  expect(traceJsonLine(hostile)).not.toMatch(unsafe)
  expect(traceYaml(hostile, (value) => JSON.stringify(value).replaceAll('\\\\', ''))).not.toMatch(unsafe)
})

test('yaml is the caller’s', async () => {
  const { parse, stringify } = await import('yaml')
  expect(parse(traceYaml(oneDenied, stringify))).toEqual(JSON.parse(JSON.stringify(oneDenied)))
})

test('what was kept of one snapshot does not leak into another', () => {
  const change = (text: string, packets: number): string =>
    JSON.stringify(oneDenied, (key, value) =>
      key === 'evidence' && value.file ? { ...value, text, counters: { packets, bytes: 1 } } : value,
    )
  for (const json of [change('-A one', 1), change('-A two', 1), change('-A two', 2), change('-A one', 1)]) {
    expect(JSON.parse(traceJsonLine(JSON.parse(json)))).toEqual(JSON.parse(json))
  }
})
