/** Whatever a snapshot holds, loading ends in a message with file and line, or in a snapshot: no crash, no hang. */
import { describe, expect, test } from 'vitest'
import { damageIn, example, filesOf, withFiles } from './damage.ts'

const shop = filesOf(example)
const NODE = 'nodes/n1/'
/** free text, or lines that may be fewer */
const LENIENT = new Set(['versions.txt', 'conntrack.txt', 'sysctl.txt', 'ipset-save.txt'].map((f) => NODE + f))
const dumps = [...shop.keys()].filter((f) => f === 'snapshot.json' || f.startsWith(NODE))
const objects = ['pods', 'nodes', 'services', 'endpointslices', 'namespaces', 'networkpolicies'].map((p) => `cluster/${p}.json`)
const json = [...dumps.filter((f) => f.endsWith('.json')), ...objects]
const lines = dumps.filter((f) => f.endsWith('.txt') && !f.endsWith('versions.txt'))

const cut = (file: string, part: number): Buffer => {
  const whole = shop.get(file) as Buffer
  return whole.subarray(0, Math.floor(whole.length * part))
}
const damage = (file: string, content: string | Buffer) => damageIn(withFiles(shop, { [file]: content }))
const expectDamage = (file: string, content: string | Buffer) => {
  const found = damage(file, content)
  expect(found, `${file} should not have loaded`).toBeDefined()
  expect(found?.file).toBe(file)
  expect(found?.line).toBeGreaterThanOrEqual(1)
  // one sentence, readable, not the dump itself
  expect(found?.message.length).toBeLessThan(600)
  return found
}

test.each([...dumps, ...objects])('%s cut off', (file) => {
  for (const part of [0.2, 0.5, 0.9]) {
    if (LENIENT.has(file)) damage(file, cut(file, part))
    // an empty list has nothing in it to cut
    else if (cut(file, 1).toString().trim() !== '[]') expectDamage(file, cut(file, part))
  }
})

test.each([...dumps, ...objects])('%s replaced by a binary', (file) => {
  expectDamage(file, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0xff]))
  expectDamage(file, Buffer.from([0xff, 0xfe, 0x41, 0x80, 0x81, 0x0a]))
})

describe('dumps mixed up', () => {
  test.each([
    ['iptables-save.txt', 'ip-addr.json', 'ip -j addr'],
    ['iptables-save.txt', 'ip6tables-save.txt', 'ip6tables-save'],
    ['ip6tables-save.txt', 'ipset-save.txt', 'ipset save'],
    ['sysctl.txt', 'iptables-save.txt', 'iptables-save'],
    ['ip-route.json', 'ip-addr.json', 'ip -j addr'],
    ['ip-addr.json', 'ip-route.json', 'ip -j route'],
    ['ip-addr.json', 'ip-link.json', 'ip -d -j link'],
    ['ip-route.json', 'ip6-route.json', 'ip -6 -j route'],
    ['ip-neigh.json', 'bridge-fdb.json', 'bridge -j fdb'],
    ['conntrack.txt', 'sysctl.txt', 'sysctl'],
    ['ipset-save.txt', 'iptables-save.txt', 'iptables-save'],
    ['nft.txt', 'iptables-save.txt', 'iptables-save'],
  ])('%s holds %s', (file, other, looksLike) => {
    expect(expectDamage(NODE + file, shop.get(NODE + other) as Buffer)?.message).toContain(looksLike)
  })

  test('objects of another kind', () => {
    expect(expectDamage('cluster/pods.json', shop.get('cluster/services.json') as Buffer)?.message).toContain('Service')
  })
})

test.each(lines)('%s with control characters', (file) => {
  const whole = (shop.get(file) as Buffer).toString()
  const second = whole.indexOf('\n') + 1
  const found = expectDamage(file, `${whole.slice(0, second)}\u001b]0;owned\u0007${whole.slice(second)}`)
  expect(found).toMatchObject({ line: 2 })
  expect(found?.message).not.toMatch(/[\u0000-\u001f]/)
})

test.each(lines)('%s with a line of 10 MB', (file) => {
  expectDamage(file, Buffer.concat([shop.get(file) as Buffer, Buffer.from(`${'x'.repeat(10_000_000)}\n`)]))
})

test.each(lines)('%s with markup', (file) => {
  expectDamage(file, `${(shop.get(file) as Buffer).toString()}\n</script><script>alert(1)</script>\n`)
})

test.each(json)('%s with JSON of another shape', (file) => {
  // a header without a key is a header
  for (const content of ['42', '"</script>"', '[null]', '[[]]', 'null', ...(file === 'snapshot.json' ? [] : ['{}'])])
    expectDamage(file, content)
})

test.each(json)('%s nested without end', (file) => {
  expectDamage(file, '['.repeat(1_000_000))
  expectDamage(file, '[{"a":'.repeat(500_000))
})

test('keys that reach for prototypes find nothing', () => {
  const labels = '{"__proto__": {"polluted": "yes"}, "constructor": "x"}'
  const pods = `{"kind":"List","items":[{"kind":"Pod","metadata":{"name":"p","namespace":"n","labels":${labels}},"__proto__":{"polluted":1}}]}`
  expect(damage('cluster/pods.json', pods)).toBeUndefined()
  expect(
    damage(
      'snapshot.json',
      '{"schemaVersion":1,"__proto__":{"polluted":1},"assume":{"listeners":{"node/*":["tcp/22"]},"__proto__":{"polluted":1}}}',
    ),
  ).toBeUndefined()
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
})

test('a nft dump made to keep a regular expression busy', () => {
  const started = performance.now()
  expectDamage(`${NODE}nft.txt`, `table ip x {\n}${'#'.repeat(4000)}\nfoo${' \n'.repeat(2000)}`)
  expectDamage(`${NODE}nft.txt`, `${' \n'.repeat(200_000)}x`)
  expect(performance.now() - started).toBeLessThan(15_000)
})
