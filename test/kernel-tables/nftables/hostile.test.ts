/** What no nft prints, and what is made to hurt: an error with its place, or a rule that is not understood; never long, never a crash. */
import { describe, expect, test } from 'vitest'
import { parseNftJson } from '../../../src/kernel/nftables/parse-json.ts'
import { parseNftText } from '../../../src/kernel/nftables/parse-text.ts'
import { problemOf, refusesBadText } from '../hostile.ts'
import { notUnderstood } from './same-rules.ts'

const inTable = (...lines: readonly string[]) => `table ip t {\n${lines.join('\n')}\n}\n`
const inChain = (rule: string) => inTable('\tchain c {', `\t\t${rule}`, '\t}')

describe('text', () => {
  refusesBadText(parseNftText)

  test.each([
    ['cut off in a table', 'table ip t {\n\tchain c {\n\t}\n', /^3: ends inside a table: the dump was cut off/],
    ['cut off in a chain', 'table ip t {\n\tchain c {\n\t\taccept\n', /^3: ends inside a table/],
    ['cut off in a line', inChain('ip saddr 10.0.0.1 accept').slice(0, 40), /^3: ends inside a table/],
    [
      'cut off in elements',
      inTable('\tset s {', '\t\ttype ipv4_addr', '\t\telements = { 10.0.0.1,').slice(0, -2),
      /^4: ends inside a table/,
    ],
    ['a family of no kernel', 'table ipx t {\n}\n', /^1: expected `table FAMILY NAME/],
    ['a chain outside', 'chain c {\n}\n', /^1: expected `table FAMILY NAME/],
    ['a brace too many', 'table ip t {\n}\n}\n', /^3: expected `table FAMILY NAME .*, not `}`/],
    ['a table twice', `${inTable()}${inTable()}`, /^4: table ip t stands twice/],
    ['a chain twice', inTable('\tchain c {', '\t}', '\tchain c {', '\t}'), /^4: chain c stands twice in table t/],
    [
      'a set and a map of one name',
      inTable('\tset s {', '\t\ttype mark', '\t}', '\tmap s {', '\t\ttype mark : verdict', '\t}'),
      /^5: set s stands twice/,
    ],
    ['something else in a table', inTable('\tchain c {', '\t}', '\tfoo'), /^4: expected a chain, set, map or the like, not `foo`/],
    ['a hook without a priority', inChain('type filter hook input; policy accept;'), /^3: expected `type TYPE hook/],
    ['a priority of no name', inChain('type filter hook input priority soon; policy accept;'), /^3: expected `type TYPE hook/],
    ['a hook of no kernel', inChain('type filter hook sideways priority 0; policy accept;'), /^3: expected `type TYPE hook/],
    ['a type of no chain', inChain('type magic hook input priority 0; policy accept;'), /^3: expected `type TYPE hook/],
    ['a set without a type', inTable('\tset s {', '\t}'), /^2: set s has no type/],
    [
      'elements without an end',
      inTable('\tset s {', '\t\ttype ipv4_addr', '\t\telements = { 10.0.0.1', '\t}'),
      /^5: elements of a set without an end/,
    ],
    [
      'a quote without an end',
      inTable('\tset s {', '\t\ttype ifname', '\t\telements = { "eth0', '\t}'),
      /^4: elements of a set without an end/,
    ],
  ])('%s', (_, text, expected) => {
    expect(problemOf(() => parseNftText(text, 'f'))).toMatch(expected)
  })

  test.each([
    ['parentheses', `meta mark set ${'('.repeat(100_000)}`],
    ['hashes of hashes', `meta mark set ${'jhash '.repeat(100_000)}`],
    ['a quote without an end', 'log prefix "abc'],
    ['words without end', 'x '.repeat(500_000)],
    ['dots', `ip saddr ${'. ip saddr '.repeat(100_000)}`],
    ['a number beyond all', `meta mark ${'9'.repeat(100_000)}`],
    ['dashes', `tcp dport ${'1-'.repeat(100_000)}`],
    // of an nft without libxtables
    ['a remark', 'ip saddr 10.0.0.1 # xt_mark'],
    ['a remark alone', '# xt_mark'],
    ['a range the wrong way round', 'tcp dport { 80, 90-70 } accept'],
    ['addresses the wrong way round', 'ip saddr 10.255.0.0-10.0.0.0 accept'],
    ['numbers modulo nothing', 'numgen inc mod 0 vmap { 0 : accept }'],
    ['hashes modulo nothing', 'jhash ip saddr mod 0 == 0 accept'],
    ['an object of JavaScript', 'meta constructor __proto__ accept'],
  ])('a rule of %s', (_, rule) => {
    const start = performance.now()
    expect(notUnderstood(parseNftText(inChain(rule), 'f')).length).toBeGreaterThan(0)
    expect(performance.now() - start).toBeLessThan(10_000)
  })

  test('an element that is not understood', () => {
    const lines = ['\t\ttype ipv4_addr', '\t\telements = { fd00::1 timeout 5s comment "a, b", 10.0.0.1,', '\t\t\t     10.0.0.2 until 5s }']
    const [t] = parseNftText(inTable('\tset s {', ...lines, '\t}'), 'f').tables
    expect(t?.sets.get('s')?.elements).toMatchObject([
      { key: { kind: 'other', text: 'fd00::1 timeout 5s comment "a, b"' }, line: 4 },
      { key: { kind: 'ip' }, line: 4 },
      { key: { kind: 'other', text: '10.0.0.2 until 5s' }, line: 5 },
    ])
  })

  test('a key by an expression that is not understood', () => {
    const lines = ['\t\ttypeof vxlan ip saddr . tcp dport', '\t\telements = { 10.0.0.1 . 22 }']
    const [t] = parseNftText(inTable('\tset s {', ...lines, '\t}'), 'f').tables
    expect(t?.sets.get('s')?.elements).toMatchObject([{ key: { kind: 'other' } }])
  })

  test('names of JavaScript', () => {
    const names = ['__proto__', 'constructor', 'toString']
    const { tables } = parseNftText(names.map((n) => `table ip ${n} {\n\tchain ${n} {\n\t\tgoto ${n}\n\t}\n}\n`).join(''), 'f')
    expect(tables.map((t) => [t.name, [...t.chains.keys()]])).toEqual(names.map((n) => [n, [n]]))
  })

  test('a set of a million elements in one line', () => {
    const elements = Array.from({ length: 1_000_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`).join(', ')
    const [t] = parseNftText(inTable('\tset s {', '\t\ttype ipv4_addr', `\t\telements = { ${elements} }`, '\t}'), 'f').tables
    expect(t?.sets.get('s')?.elements).toHaveLength(1_000_000)
  })
})

const list = (...items: readonly unknown[]) => JSON.stringify({ nftables: items })
const table = { table: { family: 'ip', name: 't' } }
const chain = { chain: { family: 'ip', table: 't', name: 'c' } }
const inRule = (...expr: readonly unknown[]) => list(table, chain, { rule: { family: 'ip', table: 't', chain: 'c', expr } })

describe('JSON', () => {
  test.each([
    ['nothing', '', /^1: the file is empty/],
    ['cut off', list(table, chain).slice(0, 60), /^1: not JSON: the text ends too early/],
    ['a list', '[]', /^1: no "nftables" list/],
    ['no list', '{"nftables": {}}', /^1: no "nftables" list/],
    ['nested without end', '['.repeat(1_000_000), /^1: not JSON/],
    ['a number in the list', list(7), /^1: found the number 7 in the list/],
    ['null in the list', list({ table: null }), /^1: found null as `table`/],
    ['nothing in the list', list({}), /^1: found null as ``/],
    ['no family', list({ table: { name: 't' } }), /^1: a `table` without a family/],
    ['a family of JavaScript', list({ table: { family: '__proto__', name: 't' } }), /^1: a `table` without a family/],
    ['no name', list({ table: { family: 'ip' } }), /^1: a `table` without a name/],
    ['a chain before its table', list(chain, table), /^1: a `chain` outside the tables/],
    ['a rule before its chain', list(table, { rule: { family: 'ip', table: 't', chain: 'c', expr: [] } }), /^1: a rule outside the chains/],
    [
      'a hook without a priority',
      list(table, { chain: { family: 'ip', table: 't', name: 'c', type: 'filter', hook: 'input' } }),
      /^1: a base chain without/,
    ],
    [
      'a hook of no kernel',
      list(table, { chain: { family: 'ip', table: 't', name: 'c', type: 'filter', hook: 'sideways', prio: 0 } }),
      /^1: a base chain without/,
    ],
    ['the second line', `{"nftables": [\n${JSON.stringify(table)},\n7]}`, /^3: found the number 7/],
  ])('%s', (_, text, expected) => {
    expect(problemOf(() => parseNftJson(text, 'f'))).toMatch(expected)
  })

  const deep = (depth: number, wrap: (inner: unknown) => unknown): unknown => {
    let made: unknown = 1
    for (let i = 0; i < depth; i++) made = wrap(made)
    return made
  }
  test.each<readonly [string, unknown]>([
    ['a statement that is none', { explode: null }],
    ['two statements in one', { accept: null, drop: null }],
    ['an array', [1, 2]],
    ['a number', 7],
    ['nothing', null],
    ['concatenations of concatenations', { vmap: { key: deep(500, (x) => ({ concat: [x] })), data: '@m' } }],
    ['sums of sums', { mangle: { key: { meta: { key: 'mark' } }, value: deep(500, (x) => ({ '&': [x, { meta: { key: 'mark' } }] })) } }],
    ['a jump without a target', { jump: {} }],
    ['a match without an operator', { match: { left: { meta: { key: 'mark' } }, right: 1 } }],
    [
      'a range the wrong way round',
      { match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: { set: [80, { range: [90, 70] }] } } },
    ],
    ['numbers modulo nothing', { match: { op: '==', left: { numgen: { mode: 'inc', mod: 0, offset: 0 } }, right: 0 } }],
    [
      'hashes modulo nothing',
      { match: { op: '==', left: { jhash: { mod: 0, expr: { payload: { protocol: 'ip', field: 'saddr' } } } }, right: 0 } },
    ],
    ['half a mark', { match: { op: '==', left: { meta: { key: 'mark' } }, right: 0.5 } }],
    ['members of JavaScript', { __proto__: { accept: null }, constructor: null }],
  ])('a rule with %s', (_, statement) => {
    expect(notUnderstood(parseNftJson(inRule(statement), 'f')).length).toBeGreaterThan(0)
  })
})
