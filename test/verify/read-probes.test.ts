import { expect, test } from 'vitest'
import { readProbes } from '../../src/verify/read-probes.ts'
import type { Probe } from '../../src/verify/types.ts'

const probes = ['a', 'b', 'c'].map((id): Probe => ({ id, space: 'node', proto: 'tcp', dst: '10.0.0.1', sport: 1, dport: 2, patienceMs: 1 }))

test('one result a probe, in order; what was not heard of has failed', () => {
  const output = 'netctl-probe 1\nresult b 10.0.0.9 40000 12 icmp 3 10 10.0.0.254\nresult a - - 0 failed bind: EADDRINUSE\nend\n'
  expect(readProbes(Buffer.from(output), probes)).toEqual([
    { id: 'a', afterMs: 0, answer: { kind: 'failed', reason: 'bind: EADDRINUSE' } },
    { id: 'b', src: '10.0.0.9', sport: 40000, afterMs: 12, answer: { kind: 'icmp', type: 3, code: 10, from: '10.0.0.254' } },
    { id: 'c', afterMs: 0, answer: { kind: 'failed', reason: 'nothing was heard of it' } },
  ])
})

test.each(['icmp 3 10 here', 'icmp 3', 'errno $(id)', 'answered lots', 'flown', ''])('%j is no answer', (said) => {
  expect(readProbes(Buffer.from(`result a 10.0.0.9 1 1 ${said}\nnote it is full\n`), probes)[0]).toEqual({
    id: 'a',
    afterMs: 0,
    answer: { kind: 'failed', reason: 'it is full' },
  })
})

test('the first result counts, and a line that was cut off does not', () => {
  const output = 'result a - - 1 silent\nresult a - - 1 refused\nresult b - - 1 refused'
  expect(readProbes(Buffer.from(output), probes).map(({ answer }) => answer.kind)).toEqual(['silent', 'failed', 'failed'])
})
