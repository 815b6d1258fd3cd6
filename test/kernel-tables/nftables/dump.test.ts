/** Whole dumps: tables, chains, sets, and where they stand. */
import { describe, expect, test } from 'vitest'
import { parseNftJson } from '../../../src/kernel/nftables/parse-json.ts'
import { parseNftText } from '../../../src/kernel/nftables/parse-text.ts'
import type { NftSet } from '../../../src/kernel/nftables/types.ts'
import { isXtables, isXtablesChain } from '../../../src/kernel/nftables/xtables.ts'
import { plain } from './same-rules.ts'

const DUMP = `# Warning: table ip filter is managed by iptables-nft, do not touch!
table ip filter { # handle 1
	chain INPUT { # handle 2
		type filter hook input priority filter; policy accept;
		xt match "set" counter packets 0 bytes 0 drop # handle 5
	}
}
table inet guard { # handle 2
	comment "of the guard"
	flags dormant

	set peers { # handle 4
		type ipv4_addr . inet_proto . inet_service
		flags interval,timeout
		timeout 3h
		comment "a, b"
		elements = { 10.0.0.0/24 . tcp . 80-90 comment "x, } y", 10.1.0.1 . udp . 53 timeout 1h expires 30m5s,
			     10.2.0.1-10.2.0.9 . 47 . 0 }
	}

	map verdicts {
		type ifname : verdict
		elements = { "cali1" : goto from-cali1, "cali*" : drop,
			     * : continue }
	}

	chain from-cali1 { # handle 7
		comment "of one pod"
	}

	chain early {
		comment "first"
		type filter hook prerouting priority mangle + 5; policy drop;
		iifname vmap @verdicts # handle 9
	}
}
table bridge b {
	chain c {
		type filter hook ingress devices = { "eth0", "eth1" } priority out - 1; policy accept;
	}
}
`
const { tables } = parseNftText(DUMP, 'nft.txt')
const [filter, guard, bridge] = tables
const lines = DUMP.split('\n')
const lineOf = (text: string): number => lines.findIndex((l) => l.includes(text)) + 1

describe('text', () => {
  test('tables with handles, flags and comments', () => {
    expect(tables.map((t) => [t.family, t.name, t.handle, t.flags, t.comment])).toEqual([
      ['ip', 'filter', 1, [], undefined],
      ['inet', 'guard', 2, ['dormant'], 'of the guard'],
      ['bridge', 'b', undefined, [], undefined],
    ])
  })

  test('base chains: priorities by the names of their family, devices, policy', () => {
    expect(guard?.chains.get('early')?.base).toEqual({
      type: 'filter',
      hook: 'prerouting',
      priority: -145,
      policy: 'drop',
      devices: [],
      line: lineOf('mangle + 5'),
    })
    expect(bridge?.chains.get('c')?.base).toMatchObject({ hook: 'ingress', priority: 99, devices: ['eth0', 'eth1'] })
    expect(guard?.chains.get('from-cali1')).toMatchObject({ comment: 'of one pod', handle: 7, rules: [] })
  })

  test('everything stands on its line', () => {
    expect([guard?.line, guard?.chains.get('early')?.line, guard?.sets.get('peers')?.line]).toEqual([
      lineOf('table inet'),
      lineOf('chain early'),
      lineOf('set peers'),
    ])
    expect(guard?.chains.get('early')?.rules).toMatchObject([{ line: lineOf('vmap @verdicts'), handle: 9 }])
    const elements = guard?.sets.get('peers')?.elements ?? []
    expect(elements.map((e) => e.line)).toEqual(['10.0.0.0/24', '10.1.0.1', '10.2.0.1'].map(lineOf))
    expect(guard?.sets.get('verdicts')?.elements.map((e) => e.line)).toEqual(['"cali1"', '"cali*"', '* : continue'].map(lineOf))
  })

  test('elements: intervals in concatenations, names as numbers, times, comments', () => {
    const set = guard?.sets.get('peers') as NftSet
    expect(set).toMatchObject({
      types: ['ipv4_addr', 'inet_proto', 'inet_service'],
      flags: ['interval', 'timeout'],
      timeout: 10_800_000,
      comment: 'a, b',
    })
    expect(set.elements[0]).toMatchObject({
      key: { parts: [{ kind: 'prefix' }, { kind: 'number', value: 6 }, { kind: 'range', from: { value: 80 }, to: { value: 90 } }] },
      comment: 'x, } y',
    })
    expect(set.elements[1]).toMatchObject({ timeout: 3_600_000, expires: 1_805_000 })
    expect(set.elements[2]).toMatchObject({
      key: { parts: [{ kind: 'range' }, { kind: 'number', value: 47 }, { kind: 'number', value: 0 }] },
    })
    expect(plain(guard?.sets.get('verdicts')?.elements, new Set(['line']))).toEqual([
      { key: { kind: 'string', value: 'cali1' }, data: { kind: 'verdict', verdict: { kind: 'goto', chain: 'from-cali1' } } },
      { key: { kind: 'wildcard', prefix: 'cali' }, data: { kind: 'verdict', verdict: { kind: 'drop' } } },
      { key: { kind: 'any' }, data: { kind: 'verdict', verdict: { kind: 'continue' } } },
    ])
  })

  test('tables of iptables-nft are told from native ones', () => {
    expect(tables.map((t) => isXtables(t))).toEqual([true, false, false])
    // iptables-nft-save knows better
    expect(filter && isXtables(filter, new Set(['nat']))).toBe(false)
    expect(filter && isXtablesChain(filter, 'INPUT', new Set(['filter']))).toBe(true)
    expect(filter && isXtablesChain(filter, 'own', undefined)).toBe(false)
  })

  test('nothing is a ruleset too', () => {
    expect(parseNftText('', 'f').tables).toEqual([])
    expect(parseNftText('\n# a remark\n', 'f').tables).toEqual([])
  })
})

describe('JSON', () => {
  const table = { table: { family: 'ip', name: 't', handle: 3, flags: 'dormant' } }
  const chain = {
    chain: { family: 'ip', table: 't', name: 'c', type: 'nat', hook: 'output', prio: -100, policy: 'accept', dev: ['a', 'b'] },
  }
  const rule = { rule: { family: 'ip', table: 't', chain: 'c', handle: 8, comment: 'x', expr: [{ accept: null }] } }

  test('tables, chains and rules', () => {
    const [t] = parseNftJson(JSON.stringify({ nftables: [{ metainfo: {} }, table, chain, rule] }), 'f').tables
    expect(t).toMatchObject({ family: 'ip', name: 't', handle: 3, flags: ['dormant'], line: 1 })
    expect(t?.chains.get('c')).toMatchObject({
      base: { type: 'nat', hook: 'output', priority: -100, policy: 'accept', devices: ['a', 'b'] },
    })
    expect(t?.chains.get('c')?.rules).toMatchObject([{ handle: 8, comment: 'x', line: 1 }])
  })

  test('that somebody spread over lines keeps them', () => {
    const spread = `{\n "nftables": [\n  ${[table, chain, rule].map((o) => JSON.stringify(o, undefined, 1)).join(',\n')}\n ]\n}\n`
    const [t] = parseNftJson(spread, 'f').tables
    const at = (text: string) => spread.slice(0, spread.indexOf(text)).split('\n').length
    expect([t?.line, t?.chains.get('c')?.line, t?.chains.get('c')?.rules[0]?.line]).toEqual([3, at('"chain"') - 1, at('"rule"') - 1])
  })

  test('keys by expression, as nft 1.1 prints them', () => {
    const type = { typeof: { concat: [{ payload: { protocol: 'ip', field: 'saddr' } }, { payload: { protocol: 'tcp', field: 'dport' } }] } }
    const set = { set: { family: 'ip', table: 't', name: 's', type, elem: [{ concat: ['10.0.0.1', 22] }] } }
    const [t] = parseNftJson(JSON.stringify({ nftables: [table, set] }), 'f').tables
    expect(t?.sets.get('s')).toMatchObject({ types: ['ipv4_addr', 'inet_service'], typeof: [{ kind: 'payload' }, { kind: 'payload' }] })
  })
})
