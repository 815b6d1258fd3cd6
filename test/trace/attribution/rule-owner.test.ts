import { describe, expect, test } from 'vitest'
import { policyOwner, ruleOwner } from '../../../src/trace/attribution/rule-owner.ts'
import { comment, hash, jump, rule, verdict } from './rules.ts'

describe('owner of a rule', () => {
  test.each([
    ['FORWARD', rule([hash], jump('cali-FORWARD')), 'calico'],
    ['FORWARD', rule([hash, comment('Policy explicitly accepted packet.')], verdict('ACCEPT')), 'calico'],
    ['cali-FORWARD', rule([hash], jump('cali-from-wl-dispatch')), 'calico'],
    ['INPUT', rule([], jump('KUBE-FIREWALL')), 'kube-proxy'],
    ['FORWARD', rule([comment('kubernetes forwarding rules')], jump('KUBE-FORWARD')), 'kube-proxy'],
    ['KUBE-POSTROUTING', rule([], verdict('RETURN')), 'kube-proxy'],
    ['KUBE-SVC-NPX46M4PTMTKRN6Y', rule([], jump('KUBE-SEP-V2PECCYPB6X2GSCW')), 'kube-proxy'],
    ['FORWARD', rule([comment('not a router')], verdict('DROP')), 'other'],
    ['FORWARD', rule([], jump('ADMIN-HARDENING')), 'other'],
    ['ADMIN-HARDENING', rule([], verdict('DROP')), 'other'],
    ['FORWARD', rule([], jump('DOCKER-USER')), 'other'],
    ['INPUT', rule([comment('netctl: x')], jump('NETCTL-INPUT')), 'netctl'],
  ] as const)('%s %#', (chain, r, owner) => expect(ruleOwner('filter', chain, r)).toBe(owner))

  test("a rule without Felix's hash inside a chain of Felix was put there by somebody else", () => {
    expect(ruleOwner('filter', 'cali-FORWARD', rule([], verdict('DROP')))).toBe('other')
  })

  test('KUBE- is not only kube-proxy: kube-router and kubelet use it too', () => {
    expect(ruleOwner('filter', 'KUBE-ROUTER-FORWARD', rule([], verdict('ACCEPT')))).toBe('other')
    expect(ruleOwner('filter', 'FORWARD', rule([], jump('KUBE-POD-FW-ABCDEFGH')))).toBe('other')
    expect(ruleOwner('filter', 'KUBE-FIREWALL', rule([comment('kubernetes firewall for dropping marked packets')], verdict('DROP')))).toBe(
      'other',
    )
  })

  test("a comment in an admin's chain claims nothing", () => {
    expect(ruleOwner('filter', 'MINE', rule([hash], verdict('DROP')))).toBe('other')
    expect(ruleOwner('filter', 'FORWARD', rule([comment('cali:short')], verdict('DROP')))).toBe('other')
  })

  test('policies', () => {
    const chain = { name: 'FORWARD', counters: { packets: 0, bytes: 0 }, line: 1, rules: [] }
    expect(policyOwner({ ...chain, policy: 'ACCEPT' })).toBe('kernel')
    expect(policyOwner({ ...chain, policy: 'DROP' })).toBe('other')
  })
})
