import { expect, test } from 'vitest'
import { compareSummary, mechanismOf } from '../../src/report/compare.ts'
import { summaryDocument } from '../../src/report/compare-json.ts'
import { compareSummaryText, compareText } from '../../src/report/compare-text.ts'
import { displayWidth } from '../../src/report/width.ts'
import type { Trace } from '../../src/trace/types.ts'
import { droppedByRule, hostile, undecided } from './fixtures/others.ts'
import { delivered, oneDenied } from './fixtures/service.ts'

const named: Trace = {
  ...delivered,
  comparison: delivered.comparison.map((row) =>
    row.aspect === 'loadBalancing' ? { ...row, kubeProxy: { ...row.kubeProxy, mechanism: 'statistic random' } } : row,
  ),
}

test('flows that could not be walked to the end are counted, and told', () => {
  const summary = compareSummary([named, undecided])
  expect(summary.undecided).toBe(1)
  expect(compareSummaryText(summary, { colour: false, unicode: true })).toContain(
    '\n1 flow could not be walked to the end: netctl trace --flows says why\n',
  )
})

test('counts who acted, by which means', () => {
  const summary = compareSummary([named, oneDenied, droppedByRule, hostile])
  expect(summary.flows).toBe(4)
  expect(summary.aspects).toHaveLength(8)
  const balancing = summary.aspects.find((a) => a.aspect === 'loadBalancing')
  expect(balancing).toEqual({
    aspect: 'loadBalancing',
    calico: { acted: 0, mechanisms: [] },
    kubeProxy: { acted: 3, mechanisms: [{ mechanism: 'statistic random', flows: 3 }] },
  })
  expect(JSON.parse(summaryDocument(summary))).toEqual(summary)
  expect(compareSummaryText(summary, { width: 80, colour: false, unicode: true })).toMatchInlineSnapshot(`
    "4 flows: who acted in how many, and by which means

                          Calico                        kube-proxy
      primary function    ✓ 3 (75 %)                    ✓ 3 (75 %)
                            3 connected pod … on …        3 turned the service
                              with the backend on …         address … into one of …
                              and let policy admit it       endpoints
      service management  · none                        ✓ 3 (75 %)
                                                          3 service
      pod network         ✓ 3 (75 %)                    · none
                            3 route … by Felix
      network policies    ✓ 3 (75 %)                    · none
                            3 networkpolicy … rule …
                              admits the packet
      traffic forwarding  ✓ 3 (75 %)                    · none
                            3 … marks and accepts in
                              filter FORWARD
      load balancing      · none                        ✓ 3 (75 %)
                                                          3 statistic random
      overlay/underlay    ✓ 3 (75 %)                    · none
                            3 VXLAN … from … to
      pod IP management   ✓ 3 (75 %)                    · none
                            3 block … of ippool
                              default is affine to
    "
  `)
})

test.each([
  ['statistic random, 1 of 3, probability 0.33', 'statistic random'],
  ['VXLAN 4096 from 172.18.0.11 to 172.18.0.12, UDP 4789', 'VXLAN … from … to'],
  ['masquerades: the pod leaves the pool', 'masquerades'],
  ['10.0.0.1', '10.0.0.1'],
])('mechanism of %s', (what, mechanism) => expect(mechanismOf(what)).toBe(mechanism))

test.each([80, 120])('compare at %i columns: the table with full evidence', (width) => {
  const text = compareText(delivered, { width, colour: false, unicode: true })
  for (const line of text.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(width)
  for (const row of delivered.comparison) {
    for (const e of [...row.calico.evidence, ...row.kubeProxy.evidence]) {
      expect(text).toContain(`${e.file}:${e.line}`)
      expect(text.replace(/\s+/g, ' ')).toContain(e.text)
    }
  }
  expect(text.split('\n')[0]).toMatch(/^✓ DELIVERED/)
})
