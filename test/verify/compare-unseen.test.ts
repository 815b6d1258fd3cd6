import { describe, expect, test } from 'vitest'
import type { SeenPacket, SeenStep } from '../../src/verify/types.ts'
import { addressOf } from '../support/netns-lab.ts'
import { make } from '../support/snapshot-builder.ts'
import { change, flow, forget, last, service } from './changed-worlds.ts'
import { asPredicted, verify } from './kernel-as-predicted.ts'

describe('what was not seen is no agreement, and said', () => {
  const snapshot = make(service)

  test('a node that could not be reached', () => {
    const v = verify(snapshot, asPredicted(snapshot, flow('p1', 'svc')), { n2: 'ssh: connection refused' })
    expect(v).toMatchObject({ result: 'unknown', reason: 'the end is as predicted, but the packet was not seen on n2' })
    expect(v.unseen).toEqual(['n2: ssh: connection refused'])
    const rulesOfN2 = v.steps.request.filter((_, i) => asPredicted(snapshot, flow('p1', 'svc')).trace.paths[0]?.hops[i]?.node === 'n2')
    expect(rulesOfN2.some((s) => s.status === 'unseen')).toBe(true)
  })

  test('a drop on a node that could not be reached', () => {
    const dropping = make({ rules: { n2: 'filter -A FORWARD -d $p2 -j DROP' } })
    const v = verify(dropping, asPredicted(dropping, flow('p1', 'p2')), { n2: 'no way' })
    expect(v).toMatchObject({ result: 'unknown', reason: 'there was no answer, as predicted; where it was dropped was not seen (n2)' })
  })

  test('a drop behind the last place that is watched', () => {
    const dropping = make({ routes: { p2: `-default\nblackhole ${addressOf('p1', 4)}` } })
    const w = asPredicted(dropping, flow('p1', 'p2'))
    expect(w.trace.outcomes).toMatchObject([{ verdict: 'dropped' }])
    expect(verify(dropping, w)).toMatchObject({
      result: 'unknown',
      reason: "there was no answer, as predicted; where it was dropped can't be seen: it left n2 by cali2, for pod/t/p2",
    })
  })

  test('a drop by a route, on a node that saw it come and not leave', () => {
    const dropping = make({ routes: { n2: `-${addressOf('p2', 4)}\nblackhole ${addressOf('p2', 4)}` } })
    const w = asPredicted(dropping, flow('p1', 'p2'))
    expect(w.trace.outcomes).toMatchObject([{ verdict: 'dropped' }])
    expect(verify(dropping, w).result).toBe('agrees')
    // that it did not leave shows by nothing being told
    Object.assign(w.seen.get('n2') ?? {}, { lost: true })
    expect(verify(dropping, w)).toMatchObject({ result: 'unknown', unseen: ['n2: there was more to see than could be told'] })
  })

  test('a drop by a rule that was seen, where other things were not told', () => {
    const dropping = make({ rules: { n2: 'filter -A FORWARD -d $p2 -j DROP' } })
    const w = asPredicted(dropping, flow('p1', 'p2'))
    Object.assign(w.seen.get('n2') ?? {}, { lost: true })
    expect(verify(dropping, w).result).toBe('agrees')
  })

  test('a node that watched, and saw nothing', () => {
    const w = asPredicted(snapshot, flow('p1', 'svc'))
    forget(w, 'n2')
    expect(verify(snapshot, w)).toMatchObject({ result: 'unknown', reason: 'the end is as predicted, but the packet was not seen on n2' })
  })

  test('more than could be told', () => {
    const w = asPredicted(snapshot, flow('p1', 'svc'))
    const n2 = w.seen.get('n2')
    if (n2) Object.assign(n2, { packets: [], lost: true })
    const v = verify(snapshot, w)
    expect(v).toMatchObject({ result: 'unknown', unseen: ['n2: there was more to see than could be told'] })
  })

  test('iptables-legacy: its rules are not traced, its translation shows', () => {
    const legacy = make({ legacy: { n1: 'nat -A PREROUTING -d $svc/{32|128} -p tcp -m tcp --dport 80 -j DNAT --to-destination $p2:7000' } })
    const w = asPredicted(legacy, flow('p1', 'svc'))
    const n1 = w.seen.get('n1')
    if (n1) Object.assign(n1, { legacy: [4], missing: ['node: rules of iptables-legacy are not traced by the kernel'] })
    const v = verify(legacy, w)
    expect(v).toMatchObject({ result: 'agrees', unseen: ['n1: rules of iptables-legacy are not traced by the kernel'] })
    const nat = w.trace.paths[0]?.hops.findIndex((h) => h.action.startsWith('DNAT')) ?? -1
    expect(v.steps.request[nat]?.status).toBe('unseen')
    change(w, 'n1', 0, (p) => ({ ...p, ...(p.end && { end: { ...p.end, headers: { ...last(p), dst: addressOf('p3', 4) } } }) }))
    expect(verify(legacy, w)).toMatchObject({ result: 'differs', difference: { hop: nat } })
  })

  test('iptables-legacy beside iptables-nft: which came first is not known, so rules that were not met are no difference', () => {
    const both = make({ rules: { n2: 'filter -A FORWARD -p tcp -j ACCEPT' }, legacy: { n2: 'filter -A FORWARD -d $p2 -j DROP' } })
    const w = asPredicted(both, flow('p1', 'p2'))
    expect(w.trace.outcomes).toMatchObject([{ verdict: 'dropped' }])
    expect(verify(both, w).result).toBe('agrees')
    change(w, 'n2', 0, (p) => ({ ...p, steps: [] }))
    expect(verify(both, w).result).toBe('agrees')
    // it got through, after all
    change(w, 'n2', 0, (p) => ({ ...p, end: { hook: 'postrouting', headers: p.headers, oif: 'cali2' } }))
    expect(verify(both, w).result).toBe('differs')
  })

  test('a device’s rules, of which the kernel tells some', () => {
    const w = asPredicted(snapshot, flow('p1', 'svc'))
    const more: SeenStep = { kind: 'rule', table: 'netdev other', chain: 'egress', index: 0, text: 'counter', verdict: 'continue' }
    change(w, 'n1', 0, (p) => ({ ...p, steps: [...p.steps, more] }))
    expect(verify(snapshot, w).result).toBe('agrees')
  })

  test('another netctl that watches at the same time, on either side', () => {
    const w = asPredicted(snapshot, flow('p1', 'svc'))
    const theirs: SeenStep = {
      kind: 'rule',
      table: 'inet netctl_verify_other',
      chain: 'output',
      index: 0,
      text: 'jump watched',
      verdict: 'jump watched',
    }
    change(w, 'n1', 0, (p) => ({ ...p, steps: [theirs, ...p.steps] }))
    expect(verify(snapshot, w)).toMatchObject({ result: 'agrees', unseen: [] })
  })

  test('a chain that was made anew meanwhile: of its rules only the verdicts are known', () => {
    const w = asPredicted(snapshot, flow('p1', 'svc'))
    const remade = (p: SeenPacket, verdict?: string): SeenPacket => ({
      ...p,
      steps: p.steps.map((s, i) =>
        s.kind === 'rule'
          ? { kind: 'rule', table: s.table, chain: s.chain, text: i % 2 === 0 ? '' : 'as nft says it', verdict: verdict ?? s.verdict }
          : s,
      ),
    })
    change(w, 'n1', 0, (p) => remade(p))
    const v = verify(snapshot, w)
    expect(v).toMatchObject({
      result: 'agrees',
      unseen: [
        'n1: of some rules only chain and verdict are known: they were made anew while packets were watched, or there were too many',
      ],
    })
    expect(v.steps.request.filter((s) => s.status === 'unseen').length).toBeGreaterThan(0)
    // a translation shows all the same
    const moved = asPredicted(snapshot, flow('p1', 'svc'))
    change(moved, 'n1', 0, (p) => ({ ...remade(p), ...(p.end && { end: { ...p.end, headers: { ...last(p), dst: addressOf('n1', 4) } } }) }))
    expect(verify(snapshot, moved).result).toBe('differs')
    const dropped = asPredicted(snapshot, flow('p1', 'svc'))
    change(dropped, 'n1', 0, (p) => remade(p, 'drop'))
    expect(verify(snapshot, dropped).result).toBe('differs')
  })

  test('a server of UDP that says nothing to a probe', () => {
    const w = asPredicted(snapshot, flow('p1', 'p2', 53, 'udp'))
    for (const seen of w.seen.values()) seen.packets = seen.packets.filter((p) => p.headers.dst === addressOf('p2', 4))
    w.answer = { kind: 'silent' }
    expect(verify(snapshot, w)).toMatchObject({ result: 'unknown', reason: expect.stringContaining('said nothing') })
    forget(w, 'n2')
    expect(verify(snapshot, w)).toMatchObject({ result: 'differs', difference: { node: 'n1' } })
  })

  test('a probe that could not be sent, and nobody who could send it', () => {
    const w = asPredicted(snapshot, flow('p1', 'svc'))
    w.answer = { kind: 'failed', reason: 'no perl' }
    expect(verify(snapshot, w)).toMatchObject({ result: 'unknown', reason: 'the probe could not be sent: no perl' })
    const outside = asPredicted(snapshot, flow('ext', 'n1', 80))
    expect(outside.plan.flows[0]?.unable).toBe('external/ext is no machine of the cluster; --catch waits for its next packet')
  })

  test('an ICMP error that a host did not send', () => {
    const refusing = make({ rules: { n2: 'filter -A FORWARD -d $p2 -p udp -j REJECT --reject-with icmp-port-unreachable' } })
    const w = asPredicted(refusing, flow('p1', 'p2', 53, 'udp'))
    for (const seen of w.seen.values()) seen.packets = seen.packets.filter((p) => p.headers.proto === 'udp')
    w.answer = { kind: 'silent' }
    expect(verify(refusing, w)).toMatchObject({ result: 'unknown', reason: expect.stringContaining('no ICMP error was sent') })
    // what was not refused is something else
    change(w, 'n2', 0, (p) => ({ ...p, steps: [], end: { hook: 'postrouting', headers: p.headers, oif: 'cali2' } }))
    expect(verify(refusing, w)).toMatchObject({ result: 'differs', difference: { node: 'n2' } })
  })

  test('an undecided prediction', () => {
    const unknown = make({ rules: { n2: 'mangle -A FORWARD -m u32 --u32 "0=1" -j DROP' } })
    const w = asPredicted(unknown, flow('p1', 'p2'))
    w.answer = { kind: 'answered' }
    expect(verify(unknown, w)).toMatchObject({ result: 'unknown', reason: expect.stringContaining('nothing was predicted') })
  })
})
