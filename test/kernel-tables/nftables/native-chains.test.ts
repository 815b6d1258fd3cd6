import { expect, test } from 'vitest'
import { nativeChains } from '../../../src/kernel/nftables/native-chains.ts'
import { parseNftJson } from '../../../src/kernel/nftables/parse-json.ts'
import { parseNftText } from '../../../src/kernel/nftables/parse-text.ts'

const RULESET = `# Warning: table ip filter is managed by iptables-nft, do not touch!
table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy accept;
		counter packets 0 bytes 0 jump X
	}
	chain X {
		drop
	}
}
table inet guard {
	map m {
		type inet_service : verdict
		elements = { 22 : jump ssh, 80 : goto web }
	}
	chain ssh {
		accept
		accept
	}
	chain web {
		accept
	}
	chain unused {
		drop
	}
	chain early {
		type filter hook prerouting priority dstnat - 10; policy drop;
		tcp dport vmap @m
	}
	chain quiet {
		type filter hook forward priority -5; policy accept;
	}
}
table netdev ingress {
	chain in {
		type filter hook ingress device "eth0" priority 0; policy accept;
		drop
	}
}
`

const nowhere = { ip: undefined, ip6: undefined }
const load = (text: string) => parseNftText(text, 'nft.txt')

test('base chains and their priorities', () => {
  const ruleset = load(RULESET)
  expect(ruleset.tables.map((t) => `${t.family} ${t.name}`)).toEqual(['ip filter', 'inet guard', 'netdev ingress'])
  const found = nativeChains(ruleset, nowhere)
  expect(found.map(({ table, chain: { name, base } }) => [table.family, name, base.hook, base.priority, base.policy])).toEqual([
    ['inet', 'early', 'prerouting', -110, 'drop'],
    ['inet', 'quiet', 'forward', -5, 'accept'],
    ['netdev', 'in', 'ingress', 0, 'accept'],
  ])
  const lines = RULESET.split('\n')
  expect(found.map(({ chain: { base } }) => / hook (\w+) /.exec(lines[base.line - 1] ?? '')?.[1])).toEqual(
    found.map((f) => f.chain.base.hook),
  )
})

test('a table that iptables-nft-save does not have is native, whatever its name', () => {
  const [first] = nativeChains(load(RULESET), { ip: new Set(['nat']), ip6: undefined })
  expect(first).toMatchObject({ file: 'nft.txt', table: { family: 'ip', name: 'filter' }, chain: { name: 'INPUT' } })
})

test('a dormant table has no hooks', () => {
  const dormant = RULESET.replace('table inet guard {\n', 'table inet guard {\n\tflags dormant\n')
  expect(nativeChains(load(dormant), nowhere).map((c) => c.table.family)).toEqual(['netdev'])
})

const chain = (name: string, more: object = {}) => ({ chain: { family: 'inet', table: 'guard', name, handle: 1, ...more } })
const rule = (name: string, ...expr: object[]) => ({ rule: { family: 'inet', table: 'guard', chain: name, handle: 2, expr } })
const JSON_RULESET = JSON.stringify({
  nftables: [
    { metainfo: {} },
    { table: { family: 'inet', name: 'guard' } },
    { map: { family: 'inet', table: 'guard', name: 'm', type: 'inet_service', map: 'verdict', elem: [[22, { jump: { target: 'ssh' } }]] } },
    chain('early', { type: 'filter', hook: 'prerouting', prio: -110, policy: 'drop' }),
    chain('ssh'),
    chain('other'),
    rule('early', { vmap: { key: { meta: { key: 'mark' } }, data: '@m' } }),
    rule('ssh', { accept: null }),
    rule('other', { drop: null }),
  ],
})

test('JSON says the same', () => {
  const ruleset = parseNftJson(JSON_RULESET, 'nft.json')
  const [only, ...others] = nativeChains(ruleset, nowhere)
  expect(others).toEqual([])
  expect(only).toMatchObject({ file: 'nft.json', table: { family: 'inet', name: 'guard' }, chain: { name: 'early' } })
  expect(only?.chain.base).toEqual({ type: 'filter', hook: 'prerouting', priority: -110, policy: 'drop', devices: [], line: 1 })
})

test.each([
  ['cut off', RULESET.slice(0, 300)],
  ['garbage before', `hello\n${RULESET}`],
  ['garbage behind', `${RULESET}hello\n`],
])('%s is damage', (_, text) => {
  expect(() => load(text)).toThrow(expect.objectContaining({ file: 'nft.txt' }))
})

test('an empty ruleset is an answer', () => {
  expect(load('').tables).toEqual([])
})
