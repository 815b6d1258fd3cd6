/**
 * Recorded clusters of every datapath with one kind of dump taken away: what a flow needs is named, and nothing that is said besides is other
 * than with all dumps (there, agree.test.ts holds it against what packets did).
 */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ParseError } from '../../src/kernel/source.ts'
import { loadSnapshot } from '../../src/snapshot/load.ts'
import type { FileSource } from '../../src/system/files.ts'
import { traceFlow } from '../../src/trace/trace.ts'
import type { Outcome, Trace } from '../../src/trace/types.ts'
import { filesOf, touchAll, withFiles } from '../snapshot/damage.ts'
import { captures } from '../support/captures.ts'
import { needs } from '../support/needs.ts'
import { flowOf, truthOf } from '../support/predict.ts'

const IPVS = ['ipvsadm-save.txt', 'ipvsadm.txt']
/** each is what one trace may need; several files where any of them will do */
const taken: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'nft-nft': [['nft.txt'], ['nft.json'], ['iptables-save.txt'], ['ip-link.json'], ['ip-addr.json']],
  'ipip-ipvs': [
    IPVS,
    ['sysctl-vs.txt'],
    ['proc-ip_vs.txt'],
    ['nft.txt', 'nft.json'],
    ['ip-link.json'],
    ['ip-route.json'],
    ['ipset-save.txt'],
  ],
  wireguard: [IPVS, ['wg-show.txt'], ['ip-link.json'], ['ip-rule.json'], ['ip-addr.json'], ['sysctl-vs.txt']],
  'crosssubnet-nft-dualstack': [
    ['nft.txt', 'nft.json'],
    ['nft.txt', 'nft.json', 'versions.txt'],
    ['ip-route.json'],
    ['ip6-route.json'],
    ['ip6tables-save.txt'],
    ['ip-link.json'],
    ['bridge-fdb.json'],
  ],
}
/** kinds without which every flow there is the same as with them */
const spare = [
  'nft-nft nft.txt',
  'nft-nft nft.json',
  'ipip-ipvs nft.txt',
  'ipip-ipvs sysctl-vs.txt',
  'ipip-ipvs proc-ip_vs.txt',
  'wireguard sysctl-vs.txt',
  'crosssubnet-nft-dualstack ip6-route.json',
]

const nameOf = ({ probability, paths, node, ...o }: Outcome): string => JSON.stringify(o)

describe.runIf(needs('captures')).each(Object.entries(taken))('%s', (capture, kinds) => {
  const folder = join(captures, capture)
  const files = filesOf(folder)
  const flows = truthOf(folder)
    .map(flowOf)
    .filter((_, i) => i % (capture === 'wireguard' ? 9 : 43) === 0)
  const walk = (source: FileSource): readonly Trace[] => {
    const snapshot = loadSnapshot(source)
    return flows.map((f) => traceFlow(snapshot, f, { brief: true }))
  }
  const whole = walk(withFiles(files, {}))

  test.each([...kinds])('without %s', (...kind) => {
    const gone = [...files.keys()].filter((f) => f.startsWith('nodes/') && kind.some((k) => f.endsWith(`/${k}`)))
    const got = walk(withFiles(files, Object.fromEntries(gone.map((f) => [f, undefined]))))
    let undecided = 0
    for (const [i, trace] of got.entries()) {
      const known = new Set(whole[i]?.outcomes.map(nameOf))
      const [open, said] = [
        trace.outcomes.filter((o) => o.verdict === 'undecided'),
        trace.outcomes.filter((o) => o.verdict !== 'undecided'),
      ]
      for (const o of said) expect(known, JSON.stringify(flows[i])).toContain(nameOf(o))
      if (open.length === 0) expect(new Set(said.map(nameOf)), JSON.stringify(flows[i])).toEqual(known)
      for (const o of open) expect(kind.some((k) => o.reason?.includes(k))).toBe(true)
      undecided += open.length
    }
    expect(undecided > 0).toBe(!spare.includes(`${capture} ${kind[0]}`))
  })
})

test.runIf(needs('captures'))('an empty iptables-save without a ruleset of nft says nothing', () => {
  const files = filesOf(join(captures, 'nft-nft'))
  const load = () => touchAll(loadSnapshot(withFiles(files, { 'nodes/n1/nft.txt': undefined, 'nodes/n1/nft.json': undefined })))
  expect(load).toThrow(ParseError)
  expect(load).toThrow('empty, and no nft.txt or nft.json shows that')
})

test.runIf(needs('captures'))('a packet from outside may enter by a node without a dump as well as by any other', () => {
  const files = filesOf(join(captures, 'nft-nft'))
  const gone = [...files.keys()].filter((f) => f.startsWith('external/') || f.startsWith('nodes/n2/'))
  const snapshot = loadSnapshot(withFiles(files, Object.fromEntries(gone.map((f) => [f, undefined]))))
  const web = snapshot.cluster.services.find((s) => s.name === 'web')
  const flow = { from: { kind: 'external', ip: '198.51.100.7' }, proto: 'tcp', dst: web?.clusterIps[0]?.text ?? '', port: 80 } as const
  const { outcomes } = traceFlow(snapshot, flow, { brief: true })
  const open = outcomes.filter((o) => o.verdict === 'undecided')
  expect(open.map((o) => o.reason)).toEqual([`node/n2 has no dump: what it does with ${flow.dst} is not known`])
  // one of three nodes
  expect(open[0]?.probability).toBeCloseTo(1 / 3)
})
