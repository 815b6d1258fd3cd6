/** From many branches to few outcomes; and branches beyond counting, which are said to be so, soon. */
import { describe, expect, test } from 'vitest'
import { traceFlow } from '../../src/trace/trace.ts'
import type { Flow } from '../../src/trace/types.ts'
import { make } from '../support/snapshot-builder.ts'

const flow: Flow = { from: { kind: 'pod', name: 't/p1' }, proto: 'tcp', dst: '10.96.0.10', port: 80 }
const rules = (count: number, rule: (i: number) => string): string => Array.from({ length: count }, (_, i) => rule(i)).join('\n')

describe('a service of 3,000 endpoints', () => {
  // kube-proxy: 1/3000 of all, 1/2999 of the rest, …
  const count = 3000
  const backend = (i: number) => `10.244.${1 + (i % 2)}.${3 - (i % 2)}:${7000 + (i % 3)}`
  const snapshot = make({
    rules: {
      n1: rules(count, (i) => {
        const random = i === count - 1 ? '' : ` -m statistic --mode random --probability ${1 / (count - i)}`
        return `nat -A PREROUTING -d 10.96.0.10/32 -p tcp${random} -j DNAT --to-destination ${backend(i)}`
      }),
    },
  })
  const { outcomes } = traceFlow(snapshot, flow)

  test('shares of equal outcomes add up', () => {
    const delivered = outcomes.filter((o) => o.address === '10.244.2.2')
    expect(delivered.map(({ endpoint, port }) => [endpoint, port]).sort()).toEqual([7000, 7001, 7002].map((port) => ['pod/t/p2', port]))
    for (const o of delivered) expect(o.probability).toBeCloseTo(1 / 6, 6)
    expect(outcomes.reduce((sum, o) => sum + o.probability, 0)).toBeCloseTo(1, 6)
  })
})

test.each([
  ['random', '-m statistic --mode random --probability 0.5'],
  ['unknown', '-m u32 --u32 "0x0=0x'],
])('40 %s rules on one way: undecided, without 2^40 walks', (kind, match) => {
  const end = kind === 'unknown' ? (i: number) => `${match}${i.toString(16)}"` : () => match
  const snapshot = make({ rules: { n1: rules(40, (i) => `mangle -A PREROUTING -p tcp ${end(i)} -j CONNMARK --set-xmark 0x${i}/0xff`) } })
  const { outcomes } = traceFlow(snapshot, { ...flow, dst: '10.244.2.2' })
  expect(outcomes).toMatchObject([{ verdict: 'undecided', reason: expect.stringMatching(/^this flow has more /) }])
})
