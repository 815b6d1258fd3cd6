import { describe, expect, test } from 'vitest'
import { verificationAnswer, verificationText, verifiedFlowsText } from '../../src/report/verification-text.ts'
import { verifyPlanLines } from '../../src/report/verify-plan-text.ts'
import type { VerifiedTrace } from '../../src/verify/verification.ts'
import { make } from '../support/snapshot-builder.ts'
import { asPredicted, verify, type World } from '../verify/kernel-as-predicted.ts'

const snapshot = make({
  rules: {
    n1: 'nat -A PREROUTING -d $svc/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination $p2:7000\nfilter -A FORWARD -p tcp -j ACCEPT',
    n2: 'filter -A FORWARD -d $p2 -p tcp -m tcp --dport 7000 -j ACCEPT',
  },
})
const flow = {
  from: { kind: 'pod', name: 't/p1' },
  proto: 'tcp',
  dst: '10.96.0.1',
  port: 80,
  label: { from: 'pod/t/p1', to: 'svc/t/web:80' },
} as const
const made = (change?: (world: World) => void, missing?: Readonly<Record<string, string>>): VerifiedTrace => {
  const world = asPredicted(snapshot, flow)
  change?.(world)
  return { ...world.trace, verification: verify(snapshot, world, missing) }
}
const agreeing = made()
const differing = made((world) => {
  const n2 = world.seen.get('n2')
  const [first, ...rest] = n2?.packets ?? []
  if (!n2 || !first) throw new Error('n2 sees it')
  const { end: _, ...gone } = first
  // from a node: hostile text
  const text = 'tcp dport 7000 drop comment "\u001b[31mred\u001b[0m"'
  n2.packets = [{ ...gone, steps: [{ kind: 'rule', table: 'inet own', chain: 'forward', index: 0, text, verdict: 'drop' }] }, ...rest]
  world.answer = { kind: 'silent' }
})
const open = made(undefined, { n2: 'its pod does not start' })
const plain = { width: 80, colour: false, unicode: true, wide: false, verbose: false }
const shown = (text: string) => text.split('\n')

describe('a verified trace', () => {
  test('the answer first, then every step with what was seen of it', () => {
    const text = shown(verificationText(agreeing, plain))
    expect(text.slice(0, 5)).toEqual([
      '✓ AS PREDICTED  pod/t/p1 → svc/t/web:80/tcp',
      '  Predicted  delivered by pod/t/p2',
      '  Observed   delivered after 2 ms',
      '  Sent       one connection from port 40000',
      '  Seen       20 of 20 steps',
    ])
    expect(text.join('\n')).toMatch(/other {2}✓ nat {7}DNAT to 10\.244\.2\.2:7000/)
    expect(text.some((line) => /^ {2}\w+ +[?✗] /.test(line))).toBe(false)
  })

  test('a difference: where, both sides with the entry, and what to do about it', () => {
    const text = verificationText(differing, plain)
    expect(shown(text)[0]).toBe('✗ DIFFERS  pod/t/p1 → svc/t/web:80/tcp')
    expect(text).toMatch(/On +n2\n/)
    expect(text.replace(/\s+/g, ' ')).toContain(
      'Predicted ip filter FORWARD: -A FORWARD -d 10.244.2.2 -p tcp -m tcp --dport 7000 -j ACCEPT nodes/n2/iptables-save.txt:',
    )
    expect(text).toMatch(/Observed +inet own forward: tcp dport 7000 drop/)
    expect(text).toMatch(/other {2}✗ filter +accept/)
    expect(text).toContain('netctl collect --via pod -O evidence.tar.gz')
    expect(text).not.toContain('\u001b')
  })

  test('what was not seen is said', () => {
    const text = verificationText(open, plain)
    expect(shown(text)[0]).toBe("? CAN'T TELL  pod/t/p1 → svc/t/web:80/tcp")
    expect(text).toMatch(/Why +the end is as predicted, but the packet was not seen on n2/)
    expect(text).toMatch(/Not seen +n2: its pod does not start/)
    expect(text).toMatch(/other {2}\? filter +accept/)
  })

  test('in ASCII, in colour, on narrow screens', () => {
    for (const verified of [agreeing, differing, open]) {
      const ascii = verificationText(verified, { ...plain, unicode: false })
      expect(ascii).toMatch(/^[\x20-\x7e\n]*$/)
      for (const width of [60, 80, 120])
        for (const line of shown(verificationText(verified, { ...plain, width }))) expect(line.length).toBeLessThanOrEqual(width)
      const coloured = verificationText(verified, { ...plain, colour: true })
      expect(coloured.replace(/\u001b\[[\d;]*m/g, '')).toBe(verificationText(verified, plain))
    }
    expect(shown(verificationAnswer(agreeing, plain)).length).toBe(6)
  })

  test('many: one line each, the sum, then the differences', () => {
    const text = verifiedFlowsText([agreeing, differing, open], plain)
    expect(shown(text)[0]).toBe('✓ as predicted  pod/t/p1 → svc/t/web:80/tcp  delivered after 2 ms')
    expect(text).toContain("\n3 flows: 1 as predicted, 1 differs, 1 can't tell\n")
    expect(text.indexOf('✗ DIFFERS')).toBeGreaterThan(text.indexOf('3 flows'))
  })
})

test('the plan: who is watched, by what, for how long, what is sent', () => {
  const { plan } = asPredicted(snapshot, flow)
  expect(verifyPlanLines(plan, false)).toEqual([
    'n1, n2: packets are watched, for 23 s at most',
    '  by nft and conntrack, through table inet netctl_verify_abcdefgh alone',
    '  which goes away at the end, and by itself should netctl not live to see it',
    '1 tcp probe is sent from port 40000 of pod/t/p1, on n1',
    '  to 10.96.0.1:80',
  ])
})
