/** A dump of `nft -j` alone is one line of megabytes: what is cited is the entry, as nft would list it. */
import { describe, expect, test } from 'vitest'
import { traceFlow } from '../../src/trace/trace.ts'
import { needs } from '../support/needs.ts'
import { recording } from './cause/damaged.ts'

describe.runIf(needs('captures'))('evidence in nft.json', () => {
  test('rules are cited as they stand in nft.txt, without their counters', () => {
    const r = recording('nft-nft')
    const node = ['n1', 'n2', 'n3'].map((n) => `nodes/${n}/nft.txt`)
    const flow = { from: { kind: 'pod', name: 'shop/web-1' }, proto: 'tcp', dst: '10.96.142.159', port: 80 } as const
    const cited = (snapshot: ReturnType<typeof r.load>) =>
      traceFlow(snapshot, flow).paths.flatMap((p) => p.hops.flatMap((h) => (h.evidence?.file.includes('nft.') ? [h.evidence] : [])))
    const fromText = cited(r.load())
    const fromJson = cited(r.load(Object.fromEntries(node.map((file) => [file, undefined]))))
    expect(fromText.length).toBeGreaterThan(20)
    expect(fromJson.map((e) => e.text.trim())).toEqual(
      fromText.map((e) =>
        e.text
          .trim()
          .replace(/counter packets \d+ bytes \d+ ?/, '')
          .trim(),
      ),
    )
    expect(fromJson.map((e) => e.counters)).toEqual(fromText.map((e) => e.counters))
  })
})
