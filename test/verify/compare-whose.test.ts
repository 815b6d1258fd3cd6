import { describe, expect, test } from 'vitest'
import type { SeenPacket } from '../../src/verify/types.ts'
import { make } from '../support/snapshot-builder.ts'
import { change, flow, last, service } from './changed-worlds.ts'
import { asPredicted, verify } from './kernel-as-predicted.ts'

describe('whose packet is whose', () => {
  const snapshot = make(service)

  test('a port that masquerading chose is known from the node before', () => {
    const masquerading = make({ rules: { n1: 'nat -A POSTROUTING -d $p2 -j MASQUERADE --random-fully' } })
    const w = asPredicted(masquerading, flow('p1', 'p2'))
    const masqueraded = (p: SeenPacket, sport: number): SeenPacket => ({
      ...p,
      headers: { ...p.headers, sport },
      ...(p.end && { end: { ...p.end, headers: { ...last(p), sport } } }),
    })
    change(w, 'n1', 0, (p) => ({ ...p, ...(p.end && { end: { ...p.end, headers: { ...last(p), sport: 5555 } } }) }))
    const n2 = w.seen.get('n2')
    const [first, second] = n2?.packets ?? []
    if (!n2 || !first || !second) throw new Error('n2 sees request and answer')
    // somebody else's packet came before, and was dropped
    const { end: _, ...theirs } = masqueraded(first, 4444)
    const back = {
      ...second,
      headers: { ...last(second), dport: 5555 },
      ...(second.end && { end: { ...second.end, headers: { ...last(second), dport: 5555 } } }),
    }
    n2.packets = [
      { ...theirs, steps: [{ kind: 'rule', table: 'ip filter', chain: 'FORWARD', index: 0, text: 'drop', verdict: 'drop' }] },
      masqueraded(first, 5555),
      back,
    ]
    change(w, 'n1', 1, (p) => ({ ...p, headers: { ...p.headers, dport: 5555 } }))
    expect(verify(masquerading, w)).toMatchObject({ result: 'agrees' })
  })

  test('a SYN that was said twice counts once', () => {
    const w = asPredicted(snapshot, flow('p1', 'svc'))
    const n2 = w.seen.get('n2')
    const [first, ...rest] = n2?.packets ?? []
    if (!n2 || !first) throw new Error('n2 sees it')
    n2.packets = [first, { ...first, steps: [] }, ...rest]
    expect(verify(snapshot, w).result).toBe('agrees')
  })
})
