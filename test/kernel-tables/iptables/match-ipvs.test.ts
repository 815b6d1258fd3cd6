/** net/netfilter/xt_ipvs.c, ipvs_mt. */
import { describe, expect, test } from 'vitest'
import type { IpvsView } from '../../../src/kernel/iptables/env.ts'
import { ip } from '../../../src/net/ip.ts'
import { ask, tcp } from './packet-env.ts'

const connection: IpvsView = { connection: { virtual: ip('203.0.113.10'), port: 80, method: 'MASQ' } }
const six: IpvsView = { connection: { virtual: ip('fd00::10'), port: 80, method: 'IPIP' } }

describe.each([
  ['a packet that IPVS has not seen', undefined],
  ['an answer, or an ICMP error', { connection: undefined }],
  ['a request on its way to the real server', connection],
] as const)('%s', (_, ipvs) => {
  const known = ipvs !== undefined && ipvs.connection !== undefined
  test.each([
    ['--ipvs', ipvs !== undefined],
    ['! --ipvs', ipvs === undefined],
    // all else needs the packet to be IPVS's, and its connection, negated or not
    ['--vproto 6', known],
    ['! --vproto 17', known],
    ['--vproto 17', false],
    ['--vaddr 203.0.113.10', known],
    ['--vaddr 203.0.113.0/24', known],
    ['! --vaddr 203.0.113.10', false],
    ['! --vaddr 203.0.113.11', known],
    ['--vport 80', known],
    ['--vport 81', false],
    ['! --vport 81', known],
    ['--vdir ORIGINAL', known],
    ['--vdir REPLY', false],
    ['--vmethod MASQ', known],
    ['--vmethod GATE', false],
    ['--vproto 6 --vaddr 203.0.113.10 --vport 80', known],
    ['--vproto 6 --vaddr 203.0.113.10 --vport 443', false],
    ['--vportctl 21', known ? 'unknown' : false],
  ])('-m ipvs %s is %s', (words, answer) => expect(ask(`-m ipvs ${words}`, { ipvs })).toBe(answer))
})

test('IPv6', () => {
  const packet = tcp({ from: 'fd00::9', to: 'fd00::1' })
  expect(ask('-m ipvs --vaddr fd00::10 --vmethod IPIP', { ipvs: six, packet })).toBe(true)
  expect(ask('-m ipvs --vaddr fd00::11', { ipvs: six, packet })).toBe(false)
})

test('without conntrack there is no direction', () =>
  expect(ask('-m ipvs --vdir ORIGINAL', { ipvs: connection, ct: { state: 'UNTRACKED' } })).toBe(false))

test('an option that does not exist is not known', () => expect(ask('-m ipvs --vname x', { ipvs: connection })).toBe('unknown'))
