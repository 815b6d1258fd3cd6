import { expect, test } from 'vitest'
import { scanNft, scanNftJson } from '../../src/snapshot/nft.ts'

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

test('base chains, their priorities, and what they reach', () => {
  const { hooks, tables } = scanNft(RULESET, 'nft.txt')
  expect([...tables]).toEqual(['ip filter', 'inet guard', 'netdev ingress'])
  expect(hooks.map((h) => [h.family, h.chain, h.hook, h.priority, h.policy, h.rules])).toEqual([
    ['ip', 'INPUT', 'input', 0, 'accept', 2],
    ['inet', 'early', 'prerouting', -110, 'drop', 4],
    ['inet', 'quiet', 'forward', -5, 'accept', 0],
    ['netdev', 'in', 'ingress', 0, 'accept', 1],
  ])
  const lines = RULESET.split('\n')
  expect(hooks.map((h) => / hook (\w+) /.exec(lines[h.line - 1] ?? '')?.[1])).toEqual(hooks.map((h) => h.hook))
})

test('JSON says the same', () => {
  const chain = (name: string, more: object = {}) => ({ chain: { family: 'inet', table: 'guard', name, handle: 1, ...more } })
  const rule = (name: string, ...expr: object[]) => ({ rule: { family: 'inet', table: 'guard', chain: name, handle: 2, expr } })
  const text = JSON.stringify({
    nftables: [
      { metainfo: {} },
      { table: { family: 'inet', name: 'guard' } },
      chain('early', { type: 'filter', hook: 'prerouting', prio: -110, policy: 'drop' }),
      chain('ssh'),
      { map: { family: 'inet', table: 'guard', name: 'm', elem: [[22, { jump: { target: 'ssh' } }]] } },
      rule('early', { vmap: { key: {}, data: '@m' } }),
      rule('ssh', { accept: null }),
      rule('other', { drop: null }),
    ],
  })
  const { hooks, tables } = scanNftJson(text, 'nft.json')
  expect([...tables]).toEqual(['inet guard'])
  expect(hooks).toEqual([
    {
      file: 'nft.json',
      line: 1,
      family: 'inet',
      table: 'guard',
      chain: 'early',
      type: 'filter',
      hook: 'prerouting',
      priority: -110,
      policy: 'drop',
      rules: 2,
    },
  ])
})

test.each([
  ['cut off', RULESET.slice(0, 300)],
  ['garbage before', `hello\n${RULESET}`],
  ['garbage behind', `${RULESET}hello\n`],
])('%s is damage', (_, text) => {
  expect(() => scanNft(text, 'nft.txt')).toThrow(expect.objectContaining({ file: 'nft.txt' }))
})

test('an empty ruleset is an answer', () => {
  expect(scanNft('', 'nft.txt').hooks).toEqual([])
})
