/** Damaged dumps of nft, IPVS and WireGuard: a message with file and line, never half a table taken for a whole one. */
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { captures } from '../support/captures.ts'
import { needs } from '../support/needs.ts'
import { damageIn, filesOf, withFiles } from './damage.ts'

const NODE = 'nodes/n1/'
const connections =
  'IPVS connection entries\npro expire state       source             virtual            destination\nTCP 14:59  ESTABLISHED 10.244.1.3:40000   10.96.0.1:80       10.244.2.2:8080\n'

/** dump, the capture that has it, and what stands in for it and must be away */
const dumps: readonly (readonly [string, string, ...string[]])[] = [
  ['nft.txt', 'nft-nft'],
  ['nft.txt', 'crosssubnet-nft-dualstack', 'nft.json'],
  ['nft.json', 'nft-nft', 'nft.txt'],
  ['ipvsadm-save.txt', 'ipip-ipvs'],
  ['ipvsadm-save.txt', 'wireguard'],
  ['ipvsadm.txt', 'ipip-ipvs', 'ipvsadm-save.txt'],
  ['proc-ip_vs.txt', 'ipip-ipvs'],
  ['sysctl-vs.txt', 'ipip-ipvs'],
  ['wg-show.txt', 'wireguard'],
  ['ipvsadm-conn.txt', 'wireguard'],
]

describe.runIf(needs('captures')).each(dumps)('%s of %s', (name, capture, ...gone) => {
  const node = [...filesOf(join(captures, capture))].filter(([f]) => f.startsWith(NODE))
  const files = new Map<string, Buffer>([[`${NODE}ipvsadm-conn.txt`, Buffer.from(connections)], ...node])
  const file = NODE + name
  const whole = files.get(file) as Buffer
  const text = whole.toString()
  const away = Object.fromEntries(gone.map((g) => [NODE + g, undefined]))
  const damage = (content: string | Buffer | undefined, others: Readonly<Record<string, Buffer>> = {}) =>
    damageIn(withFiles(files, { ...away, [file]: content, ...others }))
  const expectDamage = (content: string | Buffer) => {
    const found = damage(content)
    expect(found?.file).toBe(file)
    expect(found?.line).toBeGreaterThanOrEqual(1)
    expect(found?.message.length).toBeLessThan(600)
    expect(found?.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
    return found
  }

  test('loads, gzipped too', () => {
    expect(damage(whole)).toBeUndefined()
    expect(damage(undefined, { [`${file}.gz`]: gzipSync(whole) })).toBeUndefined()
  })

  test('empty', () => {
    // wg prints nothing where there is no device; a trace says so where one is needed
    if (name === 'wg-show.txt') expect(damage('')).toBeUndefined()
    else expectDamage('')
  })

  test('cut off in the middle of a line', () => {
    for (const part of [0.2, 0.5, 0.8]) {
      let end = Math.floor(text.length * part)
      while (/[\n ]/.test(text[end] ?? '') || /[\n ]/.test(text[end - 1] ?? '')) end++
      if (name === 'sysctl-vs.txt') damage(text.slice(0, end))
      else expectDamage(text.slice(0, end))
    }
  })

  test('gzip data that is none, or ends too early', () => {
    for (const content of [whole, gzipSync(whole).subarray(0, 100)])
      expect(damage(undefined, { [`${file}.gz`]: content })?.message).toContain('damaged gzip data')
    expect(expectDamage(gzipSync(whole))?.message).toContain('binary data')
  })

  test.each(['ip-addr.json', 'iptables-save.txt', 'nft.txt', 'nft.json', 'ipvsadm-save.txt', 'wg-show.txt', 'conntrack.txt'])(
    'with what belongs into %s',
    (other) => {
      const content = files.get(NODE + other)
      if (content && content.length > 0 && other !== name) expectDamage(content)
    },
  )

  test('with what a tool says that may not, or is not there', () => {
    for (const said of ['Operation not permitted (you must be root)\n', `bash: ${name}: command not found\n`]) expectDamage(said)
  })

  test('control characters, endless lines, deep nesting', () => {
    expectDamage(text.replace('\n', '\n\u001b]0;owned\u0007'))
    expectDamage(`${text}${'x'.repeat(10_000_000)}\n`)
    expectDamage('['.repeat(1_000_000))
  })

  test('twice in one file', () => {
    if (name !== 'sysctl-vs.txt') expectDamage(text + text)
  })
})

test.runIf(needs('captures'))('what is not there is told by its neighbours', () => {
  const of = (capture: string) => filesOf(join(captures, capture))
  const said = (capture: string, changes: Readonly<Record<string, string | undefined>>) =>
    damageIn(withFiles(of(capture), Object.fromEntries(Object.entries(changes).map(([f, c]) => [NODE + f, c]))))?.message
  expect(said('nft-nft', { 'nft.txt': '' })).toContain('empty, though nodes/n1/nft.json is not')
  expect(said('nft-nft', { 'nft.txt': '', 'nft.json': undefined })).toContain('kube-proxy runs in nftables mode')
  expect(said('ipip-ipvs', { 'ipvsadm-save.txt': '' })).toContain('empty, though nodes/n1/ipvsadm.txt shows virtual servers')
  expect(said('wireguard', { 'ipvsadm-save.txt': '' })).toContain('shows addresses of Services on kube-ipvs0')
  // a table that somebody has cleared
  const cleared =
    'IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n'
  expect(said('wireguard', { 'ipvsadm-save.txt': '', 'ipvsadm.txt': cleared })).toBeUndefined()
})
