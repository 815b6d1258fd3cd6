/** Single rules in both forms, as nft 1.0.6 prints them, and what they mean. */
import { describe, expect, test } from 'vitest'
import { parseNftJson } from '../../../src/kernel/nftables/parse-json.ts'
import { parseNftText } from '../../../src/kernel/nftables/parse-text.ts'
import type { NftFamily, NftRule } from '../../../src/kernel/nftables/types.ts'
import { at, n, payload, rules } from './printed-statements.ts'
import { plain } from './same-rules.ts'

const textRule = (text: string, family: NftFamily): NftRule | undefined =>
  parseNftText(`table ${family} t {\n\tchain c {\n\t\t${text}\n\t}\n}\n`, 'f').tables[0]?.chains.get('c')?.rules[0]

function jsonRule(expr: readonly unknown[], family: NftFamily, more: object = {}): NftRule | undefined {
  const list = [
    { table: { family, name: 't' } },
    { chain: { family, table: 't', name: 'c' } },
    { rule: { family, table: 't', chain: 'c', expr, ...more } },
  ]
  // JSON has integers of any length
  const text = JSON.stringify({ nftables: list }, (_, v) => (typeof v === 'bigint' ? `${v}n` : v)).replace(/"(\d+)n"/g, '$1')
  return parseNftJson(text, 'f').tables[0]?.chains.get('c')?.rules[0]
}

const statements = (rule: NftRule | undefined): unknown => plain(rule?.statements, new Set(['line']))

describe('a rule in text and JSON', () => {
  test.each(rules.map(([text, json, meaning, family]) => ({ text, json, meaning, family: family ?? ('ip' as const) })))(
    '$family: $text',
    ({ text, json, meaning, family }) => {
      const expected = plain([meaning], new Set())
      expect(statements(textRule(text, family))).toEqual(expected)
      expect(statements(jsonRule([json], family))).toEqual(expected)
    },
  )

  test('matches follow one another, then comes the comment', () => {
    const rule = textRule(
      'meta l4proto tcp tcp dport 80 counter packets 5 bytes 6 accept comment "with # and { } ; accept" # handle 12',
      'ip',
    )
    expect(rule?.statements.map((s) => s.kind)).toEqual(['match', 'match', 'counter', 'verdict'])
    expect([rule?.comment, rule?.handle, rule?.line]).toEqual(['with # and { } ; accept', 12, 3])
  })

  test('elements of a map: verdicts, chains, concatenations', () => {
    const text = 'ip daddr . tcp dport vmap { 10.0.0.1 . 80 : goto service-X/tcp/http, 10.0.0.2 . 443 : drop }'
    expect(statements(textRule(text, 'ip'))).toEqual(
      plain(
        [
          {
            kind: 'vmap',
            key: { kind: 'concat', parts: [payload('ip', 'daddr'), payload('tcp', 'dport')] },
            map: {
              kind: 'set',
              elements: [
                {
                  key: { kind: 'concat', parts: [at('10.0.0.1'), n(80)] },
                  data: { kind: 'verdict', verdict: { kind: 'goto', chain: 'service-X/tcp/http' } },
                },
                { key: { kind: 'concat', parts: [at('10.0.0.2'), n(443)] }, data: { kind: 'verdict', verdict: { kind: 'drop' } } },
              ],
            },
          },
        ],
        new Set(),
      ),
    )
  })
})

describe('what is not understood', () => {
  test('ends the rule, not the dump', () => {
    const rule = textRule('ip saddr 10.0.0.1 vxlan ip saddr 10.0.0.2 accept', 'ip')
    expect(rule?.statements).toMatchObject([{ kind: 'match' }, { kind: 'other', text: 'vxlan ip saddr 10.0.0.2 accept' }])
  })

  test('in JSON is one statement', () => {
    const inner = { payload: { tunnel: 'vxlan', protocol: 'ip', field: 'saddr' } }
    const rule = jsonRule([{ match: { op: '==', left: inner, right: '10.0.0.2' } }, { teleport: { to: 'moon' } }, { drop: null }], 'ip')
    expect(rule?.statements).toMatchObject([
      { kind: 'match', left: { kind: 'other', text: JSON.stringify(inner) } },
      { kind: 'other', text: '{"teleport":{"to":"moon"}}' },
      { kind: 'verdict' },
    ])
  })

  test('a member that a newer nft adds is not passed over', () => {
    const mark = { meta: { key: 'mark' } }
    const rule = jsonRule(
      [
        { match: { op: '==', left: { meta: { key: 'mark', shifted: true } }, right: 1 } },
        { match: { op: '==', left: mark, right: 1, always: true } },
        { dnat: { addr: '10.0.0.1', through: 'tunnel' } },
        { match: { op: '==', left: mark, right: { set: [{ elem: { val: 1, until: 'noon' } }] } } },
      ],
      'ip',
    )
    expect(rule?.statements).toMatchObject([
      { left: { kind: 'other' } },
      { kind: 'other' },
      { kind: 'other' },
      { right: { elements: [{ key: { kind: 'other' } }] } },
    ])
  })

  // nft 1.0.6 prints `ip version . ip saddr { 4 . 1.1.1.1 }` as `ip version >> 4 . ip saddr { 0 . 4.0.0.0 }`
  test('a field of less than a byte in a concatenation', () => {
    const rule = textRule('ip version >> 4 . ip saddr { 0 . 4.0.0.0 } accept', 'ip')
    expect(rule?.statements[0]).toMatchObject({ left: { parts: [{ kind: 'other' }, payload('ip', 'saddr')] } })
  })

  test('statements that nft has no JSON for stand there as text', () => {
    const rule = jsonRule(['update @m { ip saddr timeout 5m : 0x00000007 }', { accept: null }], 'ip')
    expect(rule?.statements).toMatchObject([
      { kind: 'set', operation: 'update', set: 'm', timeout: 300_000, data: n(7) },
      { kind: 'verdict' },
    ])
  })
})
