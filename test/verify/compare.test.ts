import { describe, expect, test } from 'vitest'
import type { SeenStep } from '../../src/verify/types.ts'
import { addressOf } from '../support/netns-lab.ts'
import { make } from '../support/snapshot-builder.ts'
import { change, flow, forget, last, rule, service } from './changed-worlds.ts'
import { asPredicted, verify, type World } from './kernel-as-predicted.ts'

describe.each([4, 6] as const)('the kernel does as predicted, IPv%d', (family) => {
  const snapshot = make(service, family)

  test.each([0, 1])('by either backend of a Service (%d)', (path) => {
    const world = asPredicted(snapshot, flow('p1', 'svc', 80, 'tcp', family), path)
    const v = verify(snapshot, world)
    expect(v).toMatchObject({ result: 'agrees', path, observed: { verdict: 'delivered', afterMs: 2 } })
    expect(v.unseen).toEqual([])
    expect(v.steps.request.filter((s) => s.status !== 'observed')).toEqual([])
    expect(v.steps.reply.filter((s) => s.status !== 'observed')).toEqual([])
  })

  test('ping', () => {
    expect(verify(snapshot, asPredicted(snapshot, flow('p1', 'p2', 0, 'icmp', family))).result).toBe('agrees')
  })

  test('dropped by a rule, where the rule is', () => {
    const dropping = make({ rules: { n2: 'filter -A FORWARD -d $p2 -j DROP' } }, family)
    const v = verify(dropping, asPredicted(dropping, flow('p1', 'p2', 80, 'tcp', family)))
    expect(v).toMatchObject({ result: 'agrees', observed: { verdict: 'dropped' } })
    expect(v.steps.request.at(-1)?.status).toBe('observed')
  })

  test('refused by a rule, and what that says comes back', () => {
    const refusing = make({ rules: { n2: 'filter -A FORWARD -d $p2 -p tcp -j REJECT --reject-with icmp-port-unreachable' } }, family)
    const world = asPredicted(refusing, flow('p1', 'p2', 80, 'tcp', family))
    expect(verify(refusing, world)).toMatchObject({ result: 'agrees', observed: { verdict: 'refused' } })
    world.answer = { kind: 'errno', name: 'ECONNREFUSED' }
    expect(verify(refusing, world).result).toBe('agrees')
  })
})

describe('each kind of difference is found at its step', () => {
  const snapshot = make(service)
  const hit = (world: World) => {
    const v = verify(snapshot, world)
    const { difference } = v
    const path = world.trace.paths[v.path ?? 0]
    const hop =
      difference?.hop === undefined ? undefined : (difference.way === 'request' ? path?.hops : path?.reply?.hops)?.[difference.hop]
    return { result: v.result, node: difference?.node, action: hop?.action, observed: difference?.observed, way: difference?.way, v }
  }
  const world = (path = 0) => asPredicted(snapshot, flow('p1', 'svc'), path)

  test('another rule', () => {
    const w = world()
    change(w, 'n2', 0, (p) => ({ ...p, steps: p.steps.map((s) => rule(s, 1)) }))
    expect(hit(w)).toMatchObject({
      result: 'differs',
      node: 'n2',
      action: 'accept',
      observed: 'ip filter FORWARD: the text of rule 0 as nft prints it',
    })
  })

  test('a rule that was not hit, and the packet ends', () => {
    const w = world()
    change(w, 'n2', 0, ({ end: _, ...p }) => ({ ...p, steps: [] }))
    w.answer = { kind: 'silent' }
    expect(hit(w)).toMatchObject({ result: 'differs', node: 'n2', action: 'accept', observed: 'no further rule' })
  })

  test('a rule more', () => {
    const w = world()
    const more: SeenStep = { kind: 'rule', table: 'inet other', chain: 'forward', index: 0, text: 'drop', verdict: 'drop' }
    change(w, 'n2', 0, ({ end: _, ...p }) => ({ ...p, steps: [...p.steps, more] }))
    w.answer = { kind: 'silent' }
    expect(hit(w)).toMatchObject({ result: 'differs', node: 'n2', observed: 'inet other forward: drop' })
  })

  test('a policy that drops', () => {
    const w = world()
    change(w, 'n1', 0, ({ end: _, ...p }) => ({
      ...p,
      steps: [...p.steps.slice(0, -1), { kind: 'policy', table: 'ip filter', chain: 'FORWARD', verdict: 'drop' }],
    }))
    w.answer = { kind: 'silent' }
    const found = hit(w)
    expect(found).toMatchObject({ result: 'differs', node: 'n1', observed: 'ip filter FORWARD: policy drop' })
  })

  test('policies that accept are no news', () => {
    const w = world()
    change(w, 'n2', 0, (p) => ({
      ...p,
      steps: [...p.steps, { kind: 'policy', table: 'ip mangle', chain: 'POSTROUTING', verdict: 'accept' }],
    }))
    expect(hit(w).result).toBe('agrees')
  })

  test('another translation than the rule’s', () => {
    const w = world()
    change(w, 'n1', 0, (p) => ({ ...p, ...(p.end && { end: { ...p.end, headers: { ...last(p), dport: 7002 } } }) }))
    expect(hit(w)).toMatchObject({
      result: 'differs',
      node: 'n1',
      action: 'DNAT to 10.244.2.2:7000',
      observed: '10.244.1.2:40000 → 10.244.2.2:7002 tcp',
    })
  })

  test('another device', () => {
    const w = world()
    change(w, 'n1', 0, (p) => ({ ...p, ...(p.end && { end: { ...p.end, oif: 'eth1' } }) }))
    expect(hit(w)).toMatchObject({ result: 'differs', node: 'n1', observed: 'leaves by eth1' })
    expect(hit(w).action).toContain('dev eth0')
    const other = world()
    change(other, 'n2', 0, (p) => ({ ...p, iif: 'eth1' }))
    expect(hit(other)).toMatchObject({ result: 'differs', node: 'n2', observed: 'came in by eth1' })
  })

  test('a packet that was to end goes on', () => {
    const dropping = make({ rules: { n2: 'filter -A FORWARD -d $p2 -j DROP' } })
    const w = asPredicted(dropping, flow('p1', 'p2'))
    change(w, 'n2', 0, (p) => ({ ...p, steps: [], end: { hook: 'postrouting', headers: p.headers, oif: 'cali2' } }))
    w.answer = { kind: 'answered' }
    const v = verify(dropping, w)
    expect(v).toMatchObject({ result: 'differs', difference: { node: 'n2', observed: 'no further rule' } })
  })

  test('what was said to the client, where every step was as predicted', () => {
    const w = world()
    w.answer = { kind: 'refused' }
    expect(hit(w)).toMatchObject({ result: 'differs', observed: 'refused (rst)' })
  })

  test('a packet that does not come in on the next node', () => {
    const w = world()
    forget(w, 'n2')
    w.answer = { kind: 'silent' }
    expect(hit(w)).toMatchObject({ result: 'differs', node: 'n1', action: 'to n2 (172.18.0.12)' })
  })

  test('the answer', () => {
    const w = world()
    // n2: the request, then the answer
    change(w, 'n2', 1, ({ end: _, ...p }) => ({
      ...p,
      steps: [{ kind: 'rule', table: 'ip filter', chain: 'FORWARD', index: 0, text: 'drop', verdict: 'drop' }],
    }))
    w.answer = { kind: 'silent' }
    expect(hit(w)).toMatchObject({ result: 'differs', node: 'n2', way: 'reply', observed: 'ip filter FORWARD: drop' })
  })

  test('as conntrack has it, where no packet was traced', () => {
    const w = world()
    const n1 = w.seen.get('n1')
    if (!n1) throw new Error('n1 is not watched')
    n1.packets = []
    const original = { proto: 'tcp', src: addressOf('p1', 4), dst: addressOf('svc', 4), sport: 40_000, dport: 80 } as const
    n1.connections = [
      {
        space: 'node',
        original,
        reply: { proto: 'tcp', src: addressOf('p2', 4), dst: addressOf('p1', 4), sport: 7003, dport: 40_000 },
      },
    ]
    expect(hit(w)).toMatchObject({
      result: 'differs',
      node: 'n1',
      action: 'DNAT to 10.244.2.2:7000',
      observed: 'answers from 10.244.2.2:7003 to 10.244.1.2',
    })
  })
})
