/** Sizes over made-up dumps: what a kernel test can't show. What kernels do is in test/kernel/walk-mtu.test.ts. */
import { describe, expect, test } from 'vitest'
import { traceFlow } from '../../src/trace/trace.ts'
import type { Flow } from '../../src/trace/types.ts'
import { row } from '../support/peer-row.ts'
import { type Made, make } from '../support/snapshot-builder.ts'

const small = { mtu: 1400 }
const hardware = { ...small, linkinfo: undefined }
const flow = (more: Partial<Flow>): Flow => ({ from: { kind: 'pod', name: 't/p1' }, proto: 'udp', dst: '10.244.2.2', port: 53, ...more })
const trace = (m: Made, more: Partial<Flow>) => traceFlow(make(m), flow(more))

describe('sizes', () => {
  row(
    'a node tells the pod, and what is not heard is silence',
    { devices: { n1: { eth0: small } }, rules: { n1: 'filter -A FORWARD -p udp -j DROP' } },
    'p1 udp size 1400 $p2:53 = dropped\np1 udp size 1401 $p2:53 = icmp 3/4 $n1\nn1 udp size 1401 $p2:53 = errno EMSGSIZE',
  )

  // virtual devices drop by is_skb_forwardable; what a card does with long frames is its own business
  row(
    'what hardware takes off the wire is not known',
    { devices: { n2: { eth0: hardware } } },
    'p1 udp size 1400 $p2:53 = p2 $p2:53 < $p1\np1 udp size 1401 $p2:53 = undecided\np1 udp $p2:53 = p2 $p2:53 < $p1',
  )

  test('the cause names the device, the packet and the evidence', () => {
    const { outcomes, paths, assumptions } = trace({ devices: { n2: { eth0: small } } }, { payload: 1400 })
    expect(outcomes).toMatchObject([{ verdict: 'dropped', node: 'n2' }])
    expect(paths[0]?.cause).toMatchObject({
      node: 'n2',
      kind: 'mtu',
      entry: 'eth0 has MTU 1400: a packet of 1428 bytes is too big',
      evidence: { file: 'nodes/n2/ip-addr.json' },
    })
    expect(paths[0]?.hops.at(-1)).toMatchObject({ node: 'n2', stage: 'device', weight: 'decides' })
    expect(assumptions).toEqual(expect.arrayContaining([expect.stringContaining('learned'), expect.stringContaining('between hosts')]))
  })

  test('the error says what would have fitted', () => {
    const { outcomes, paths } = trace({ devices: { n1: { eth0: small } } }, { payload: 1400 })
    expect(outcomes).toMatchObject([{ verdict: 'unreachable', error: 'icmp 3/4 from 172.18.0.11' }])
    expect(paths[0]?.reply?.hops[0]?.action).toBe('ICMP 3/4 from 172.18.0.11 (MTU 1400)')
  })

  test('a black hole: who dropped the error is told, too', () => {
    const rules = { n1: 'filter -A OUTPUT -p icmp -j DROP' }
    const { outcomes, paths } = trace({ devices: { n1: { eth0: small } }, rules }, { payload: 1400 })
    expect(outcomes).toMatchObject([{ verdict: 'dropped', node: 'n1' }])
    expect(paths[0]?.cause).toMatchObject({
      kind: 'mtu',
      entry: 'eth0 has MTU 1400: a packet of 1428 bytes is too big; the ICMP error that says so ends on n1 (DROP)',
    })
  })

  test('TCP never makes such a packet', () => {
    const { outcomes } = trace({ devices: { p1: { eth0: small } } }, { proto: 'tcp', port: 80, payload: 1400 })
    expect(outcomes).toMatchObject([{ verdict: 'undecided', reason: expect.stringContaining('TCP') }])
  })

  test('without a size, nothing is asked', () => {
    const { outcomes, assumptions } = trace({ devices: { n1: { eth0: { mtu: 68 } } } }, {})
    expect(outcomes).toMatchObject([{ verdict: 'delivered' }])
    expect(assumptions ?? []).not.toEqual(expect.arrayContaining([expect.stringContaining('MTU')]))
  })

  test('-m length sees the size', () => {
    const rules = { n1: 'filter -A FORWARD -d $p2 -p udp -m length --length 1428 -j DROP' }
    expect(trace({ rules }, { payload: 1400 }).outcomes).toMatchObject([{ verdict: 'dropped' }])
    expect(trace({ rules }, { payload: 1401 }).outcomes).toMatchObject([{ verdict: 'delivered' }])
  })
})
