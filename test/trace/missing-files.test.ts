import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadSnapshot } from '../../src/snapshot/load.ts'
import { openFolder } from '../../src/system/files-folder.ts'
import { memoryFiles } from '../../src/system/files-memory.ts'
import { traceFlow } from '../../src/trace/trace.ts'
import type { Flow, Trace } from '../../src/trace/types.ts'

const example = join(import.meta.dirname, '../../examples/shop')
const files = Object.fromEntries(openFolder(example).files.map((f) => [f, readFileSync(join(example, f))]))
const api = { from: { kind: 'pod', name: 'shop/web-1' }, proto: 'tcp', dst: '10.96.66.150', port: 80 } as const

function without(file: string, flow: Flow): Trace {
  const { [file]: gone, ...rest } = files
  if (!gone) throw new Error(`the example has no ${file}`)
  return traceFlow(loadSnapshot(memoryFiles('example', rest)), flow)
}

describe('a file that is missing makes what needs it undecided, and is named', () => {
  test('with all of them the flow is delivered', () => {
    expect(traceFlow(loadSnapshot(memoryFiles('example', files)), api).outcomes.map((o) => o.verdict)).toEqual(['delivered', 'delivered'])
  })

  test.each([
    'nodes/n1/iptables-save.txt',
    'nodes/n1/ipset-save.txt',
    'nodes/n1/ip-route.json',
    'nodes/n1/ip-addr.json',
    'nodes/n1/ip-link.json',
    'nodes/n1/ip-neigh.json',
    'nodes/n1/bridge-fdb.json',
    'nodes/n1/sysctl.txt',
    'pods/shop_web-1/ip-route.json',
    'pods/shop_web-1/ip-addr.json',
  ])('%s', (file) => {
    const trace = without(file, api)
    expect(new Set(trace.outcomes.map((o) => o.verdict))).toEqual(new Set(['undecided']))
    expect(trace.undecided?.join(' ')).toContain(file)
  })

  test.each(['nodes/n2/iptables-save.txt', 'nodes/n2/ip-route.json', 'nodes/n2/ip-addr.json'])(
    '%s: only for the backend behind it',
    (file) => {
      const trace = without(file, api)
      expect(trace.outcomes.map((o) => [o.verdict, o.probability])).toEqual([
        [expect.stringMatching(/delivered|undecided/), 0.5],
        [expect.stringMatching(/delivered|undecided/), 0.5],
      ])
      expect(trace.outcomes.some((o) => o.verdict === 'delivered')).toBe(true)
      expect(trace.undecided?.join(' ')).toContain(file)
    },
  )

  test('what the flow does not need may be missing', () => {
    expect(without('nodes/n3/iptables-save.txt', { ...api, dst: '10.244.217.1', port: 8080 }).outcomes).toMatchObject([
      { verdict: 'delivered' },
    ])
  })
})
