import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { nativeChainsOf } from '../../src/kernel/nftables/native-chains.ts'
import { loadSnapshot } from '../../src/snapshot/load.ts'
import { openFolder } from '../../src/system/files-folder.ts'
import { captureNames, captures } from '../support/captures.ts'
import { needs } from '../support/needs.ts'
import { damageIn, example, filesOf, spied, touchAll, withFiles } from './damage.ts'

const shop = filesOf(example)
const text = (name: string): string => (shop.get(name) as Buffer).toString()
const load = (changes: Readonly<Record<string, string | Buffer | undefined>>) => loadSnapshot(withFiles(shop, changes))
const n1 = (changes: Readonly<Record<string, string | Buffer | undefined>>) => {
  const host = load(changes).hosts.get('node/n1')
  if (!host) throw new Error('no node/n1')
  return host
}

describe.runIf(needs('captures'))('every recorded cluster', () => {
  test.each(captureNames())('%s loads, and every line is found again', (name) => {
    const folder = join(captures, name)
    const { source, read } = spied(openFolder(folder))
    const snapshot = loadSnapshot(source)
    touchAll(snapshot)
    expect([...snapshot.hosts.keys()].filter((id) => id.startsWith('node/')).length).toBe(readdirSync(join(folder, 'nodes')).length)
    expect(snapshot.cluster.pods.length).toBeGreaterThan(3)
    // the notes of the recording are no part of a snapshot, and nobody looks
    const foreign = /truth\.jsonl|meta\.json|fault\.json|links\.json|after-probing/
    expect([...read].filter((file) => foreign.test(file))).toEqual([])
    expect(snapshot.files.filter((file) => foreign.test(file))).toEqual([])
    for (const file of snapshot.files.filter((f) => /^nodes\/n1\/(?:ip6?tables-save|ipset-save|sysctl)\.txt/.test(f))) {
      const raw = readFileSync(join(folder, file))
      const lines = (file.endsWith('.gz') ? gunzipSync(raw) : raw).toString().split('\n')
      for (const n of [1, 2, Math.ceil(lines.length / 2), lines.length - 1, lines.length, lines.length + 1]) {
        expect(snapshot.line(file, n)).toBe(lines[n - 1] ?? '')
      }
    }
  })

  test('routes of a family are taken once', () => {
    const host = loadSnapshot(openFolder(join(captures, 'random-4'))).hosts.get('node/n1')
    expect(new Set(host?.routes[6]?.map((r) => r.source.file))).toEqual(new Set(['nodes/n1/ip6-route.json']))
    expect(new Set(host?.routes[4]?.map((r) => r.source.file))).toEqual(new Set(['nodes/n1/ip-route.json']))
    expect(host?.routes[4]?.every((r) => r.family === 4)).toBe(true)
  })

  test('native nft chains are told from those of iptables-nft', () => {
    const hooks = (name: string) => {
      const host = loadSnapshot(openFolder(join(captures, name))).hosts.get('node/n1')
      return host ? nativeChainsOf(host) : []
    }
    expect(hooks('vxlan-iptables')).toEqual([])
    expect(hooks('bgp-legacy')).toEqual([])
    const tables = new Set(hooks('crosssubnet-nft-dualstack').map((h) => `${h.table.family} ${h.table.name}`))
    expect(tables).toEqual(new Set(['ip kube-proxy', 'ip6 kube-proxy']))
    expect(hooks('nft-nft').every((h) => h.chain.rules.length > 0 || h.table.name === 'calico')).toBe(true)
    for (const h of hooks('nft-nft')) expect(h.chain.base.priority).not.toBeNaN()
  })
})

describe('dumps that are not there', () => {
  test('are undefined, never empty', () => {
    const gone = [
      'iptables-save.txt',
      'ipset-save.txt',
      'ip-addr.json',
      'ip-route.json',
      'ip6-route.json',
      'ip-neigh.json',
      'bridge-fdb.json',
      'sysctl.txt',
      'conntrack.txt',
      'versions.txt',
    ]
    const host = n1(Object.fromEntries(gone.map((f) => [`nodes/n1/${f}`, undefined])))
    expect(host.iptables[4]).toBeUndefined()
    expect([
      host.links,
      host.routes[4],
      host.routes[6],
      host.ipsets,
      host.neighbours,
      host.fdb,
      host.sysctls,
      host.conntrack,
      host.listeners,
      host.versions,
    ]).toEqual(Array(10).fill(undefined))
  })

  test('rules are the default ones, and said to be assumed', () => {
    const host = n1({ 'nodes/n1/ip-rule.json': undefined, 'nodes/n1/ip6-rule.json': undefined })
    expect(host.rulesAssumed).toEqual({ 4: true, 6: true })
    expect(host.rules[4].map((r) => r.priority)).toEqual([0, 32766, 32767])
    expect(host.rules[6].map((r) => r.priority)).toEqual([0, 32766])
    expect(n1({}).rulesAssumed).toEqual({ 4: false, 6: false })
  })

  test('a table local is made from the addresses', () => {
    const routes = JSON.parse(text('nodes/n1/ip-route.json')) as { table?: string }[]
    const host = n1({
      'nodes/n1/ip-route.json': JSON.stringify(routes.filter((r) => r.table !== 'local')),
      'nodes/n1/ip6-route.json': undefined,
    })
    expect(host.routes[4]?.some((r) => r.table === 'local' && r.dst.ip.text === '172.18.0.11')).toBe(true)
  })

  test('no snapshot.json: defaults, and a note', () => {
    const { header } = load({ 'snapshot.json': undefined })
    expect(header.assume).toEqual({ listeners: {}, forwarding: [], routes: {} })
    expect(header.missing.join()).toContain('snapshot.json')
  })

  test('no nft dump: native chains are not known, and that is said', () => {
    const { header } = load({ 'nodes/n1/nft.txt': undefined, 'nodes/n1/nft.json': undefined, 'nodes/n1/nft.json.gz': undefined })
    expect(header.missing.join()).toContain('nodes/n1: no nft.txt or nft.json')
  })
})

describe('empty dumps', () => {
  test('of iptables are an answer where nft shows no tables of iptables', () => {
    const host = n1({
      'nodes/n1/iptables-save.txt': '',
      'nodes/n1/ip6tables-save.txt': '',
      'nodes/n1/ipset-save.txt': '',
      'nodes/n1/nft.txt': 'table ip kube-proxy {\n\tchain a {\n\t}\n}\n',
    })
    expect(host.iptables[4]?.[0]?.tables).toEqual([])
    expect(host.ipsets?.sets.size).toBe(0)
  })

  test.each([
    ['iptables-save.txt', 'shows tables of iptables-nft'],
    ['ipset-save.txt', 'use sets'],
    ['nft.txt', 'shows tables of iptables-nft'],
    ['ip-addr.json', 'empty'],
    ['sysctl.txt', 'empty'],
    ['ip-rule.json', 'empty'],
  ])('of %s are damage', (file, why) => {
    const damage = damageIn(withFiles(shop, { [`nodes/n1/${file}`]: '' }))
    expect(damage).toMatchObject({ file: `nodes/n1/${file}`, line: 1 })
    expect(damage?.message).toContain(why)
    expect(damage?.message).toContain('delete the file')
  })

  test('of conntrack are an answer', () => {
    expect(n1({ 'nodes/n1/conntrack.txt': '' }).conntrack?.entries).toEqual([])
  })
})

test('any file may be gzipped; evidence has the name on disk, and both names find it', () => {
  const name = 'nodes/n1/iptables-save.txt'
  const snapshot = load({ [name]: undefined, [`${name}.gz`]: gzipSync(text(name)) })
  expect(snapshot.hosts.get('node/n1')?.iptables[4]?.[0]?.file).toBe(`${name}.gz`)
  expect(snapshot.line(`${name}.gz`, 2)).toBe(text(name).split('\n')[1])
  expect(snapshot.text(name)).toBe(text(name))
})

test('both backends of iptables are evaluated, the one in use first', () => {
  const legacy =
    '# Generated by iptables-save v1.8.9 on Sun Nov 22 14:13:40 2026\n*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\nCOMMIT\n# Completed on Sun Nov 22 14:13:40 2026\n'
  const files = (host: ReturnType<typeof n1>) => host.iptables[4]?.map((d) => d.file)
  expect(files(n1({ 'nodes/n1/iptables-legacy-save.txt': legacy }))).toEqual([
    'nodes/n1/iptables-save.txt',
    'nodes/n1/iptables-legacy-save.txt',
  ])
  expect(files(n1({ 'nodes/n1/iptables-legacy-save.txt': '' }))).toEqual(['nodes/n1/iptables-save.txt'])
})

test('hosts are called by their folders', () => {
  const snapshot = load({ 'pods/a_b/ip-addr.json': text('external/ext/ip-addr.json'), 'pods/nonamespace/ip-addr.json': '[]' })
  expect(snapshot.hosts.get('pod/a/b')).toMatchObject({ kind: 'pod', name: 'a/b', dir: 'pods/a_b' })
  expect([...snapshot.hosts.keys()].filter((id) => id.includes('nonamespace'))).toEqual([])
  expect(snapshot.hosts.get('external/ext')).toMatchObject({ kind: 'external', name: 'ext' })
})
