import { describe, expect, test } from 'vitest'
import { defaultRules } from '../../../src/kernel/route/default-rules.ts'
import { parseRules } from '../../../src/kernel/route/parse-rules.ts'
import { needs } from '../../support/needs.ts'
import { dumps } from '../dumps.ts'
import { refusesBadJson } from '../hostile.ts'

const one = (rule: object, family: 4 | 6 = 4) => parseRules(JSON.stringify([rule]), 'f', family)[0]

describe('parseRules', () => {
  refusesBadJson((text, file) => parseRules(text, file, 4))

  test("WireGuard's rule: `not` with value null means that the rule is negated", () => {
    const rule = one({ priority: 99, not: null, src: 'all', fwmark: '0x200000', fwmask: '0x200000', table: '1' })
    expect(rule).toMatchObject({ not: true, fwmark: { value: 0x200000, mask: 0x200000 }, action: { kind: 'table', table: '1' } })
    expect(rule?.text).toBe('99: not from all fwmark 0x200000/0x200000 lookup 1')
  })

  // what iproute2 6.1 printed as JSON and as text for the same rules
  test.each([
    [
      {
        priority: 10,
        not: null,
        src: '10.0.0.0',
        srclen: 8,
        dst: '1.2.3.4',
        tos: '0x10',
        fwmark: '0x10',
        fwmask: '0xff',
        iif: 'v0',
        oif: 'nope',
        oif_detached: null,
        table: '100',
        suppress_prefixlen: 0,
      },
      '10: not from 10.0.0.0/8 to 1.2.3.4 tos 0x10 fwmark 0x10/0xff iif v0 oif nope [detached] lookup 100 suppress_prefixlength 0',
    ],
    [
      { priority: 11, src: 'all', ipproto: 'tcp', sport_start: 10, sport_end: 20, dport: 80, goto: 40 },
      '11: from all ipproto tcp sport 10-20 dport 80 goto 40',
    ],
    [{ priority: 12, src: 'all', uid_start: 5, uid_end: 10, action: 'blackhole' }, '12: from all uidrange 5-10 blackhole'],
    [{ priority: 13, src: 'all', l3mdev: null }, '13: from all lookup [l3mdev-table]'],
    [{ priority: 14, src: 'all', goto: 9999, unresolved: null }, '14: from all goto 9999 [unresolved]'],
    [{ priority: 40, src: 'all', nop: null }, '40: from all nop'],
    [{ priority: 41, src: 'all', table: '7', suppress_ifgroup: '5', protocol: '80' }, '41: from all lookup 7 suppress_ifgroup 5 proto 80'],
    [{ priority: 42, src: 'all', tun_id: 5, action: 'unreachable' }, '42: from all tun_id 5 unreachable'],
    [{ priority: 44, src: 'all', ipproto: 'ipproto-99', table: 'main' }, '44: from all ipproto ipproto-99 lookup main'],
  ])('%j', (entry, text) => {
    expect(one(entry)?.text).toBe(text)
  })

  test.each([
    ['[{"priority":1,"src":"fd00::","srclen":8,"table":"main"}]', "is this the other family's file?"],
    ['[{"dst":"default","gateway":"10.0.0.1"}]', 'a routing rule must have `priority`'],
    ['[{"priority":1,"src":"all"}]', 'must have `table`'],
    ['[{"priority":1,"src":"all","action":"explode"}]', 'known are lookup, goto'],
  ])('%s', (text, message) => {
    expect(() => parseRules(text, 'f', 4)).toThrow(message)
  })

  test.runIf(needs('captures'))('every recorded rule is modelled; most hosts have the default ones', () => {
    for (const family of [4, 6] as const) {
      const expected = defaultRules(family, { file: '', line: 0 }).map((r) => r.text)
      for (const { file, text } of dumps(family === 4 ? 'ip-rule.json' : 'ip6-rule.json')) {
        const rules = parseRules(text, file, family)
        expect(
          rules.flatMap((r) => r.unmodelled),
          file,
        ).toEqual([])
        if (!file.startsWith('wireguard/nodes'))
          expect(
            rules.map((r) => r.text),
            file,
          ).toEqual(expected)
      }
    }
  })
})
