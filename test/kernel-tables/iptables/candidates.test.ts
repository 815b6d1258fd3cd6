import { describe, expect, test } from 'vitest'
import { candidates } from '../../../src/kernel/iptables/candidates.ts'
import { applyMark, restoreMark, saveMark } from '../../../src/kernel/iptables/mark.ts'
import { matches } from '../../../src/kernel/iptables/match.ts'
import { parseIptablesSave } from '../../../src/kernel/iptables/parse.ts'
import type { Chain } from '../../../src/kernel/iptables/types.ts'
import { makeEnv, tcp } from './packet-env.ts'

describe('candidates of a long chain', () => {
  const kinds = (i: number) => [
    `-d 10.0.0.${i % 8}/32 -p tcp`,
    `! -d 10.0.0.${i % 8}/32`,
    '-d 10.0.0.0/30',
    `-s 10.9.0.1/32 -d 10.0.0.${i % 8}/32`,
    '-p tcp',
    '-d 0.0.0.3/0.0.0.255',
  ]
  const rules = Array.from({ length: 200 }, (_, i) => `-A A ${kinds(i)[i % 6]}`)
  const dump = parseIptablesSave(`*nat\n:A - [0:0]\n${rules.join('\n')}\nCOMMIT\n`, 'f', 4)
  const chain = dump.tables[0]?.chains.get('A') as Chain

  test.each(['10.0.0.1', '10.0.0.3', '10.0.0.7', '10.1.1.3', '10.1.1.1'])(
    'to %s: the rules that match, in order, are all among them',
    (to) => {
      const packet = tcp({ from: '10.9.0.1', to })
      const { env } = makeEnv({ packet })
      const some = candidates(chain, packet)
      expect(some.filter((r) => matches(r, env))).toEqual(chain.rules.filter((r) => matches(r, env)))
      expect(some.length).toBeLessThan(chain.rules.length)
      expect(some).toEqual(some.toSorted((x, y) => x.line - y.line))
    },
  )

  test('a short chain is itself', () => {
    const short = { ...chain, rules: chain.rules.slice(0, 5) }
    expect(candidates(short, tcp())).toBe(short.rules)
  })
})

test('marks are unsigned', () => {
  expect(applyMark(0xffffffff, { value: 0, mask: 0x80000000 })).toBe(0x7fffffff)
  expect(applyMark(0x4000, { value: 0xfff00000, mask: 0xfff00000 })).toBe(0xfff04000)
  // --xor-mark 0x4000
  expect(applyMark(0x80004000, { value: 0x4000, mask: 0 })).toBe(0x80000000)
  expect(saveMark(0xf0000000, 0xabcdef01, { mask: 0xff, nfmask: 0xf })).toBe(0xf0000001)
  expect(restoreMark(0xffffffff, 0x12, { mask: 0xff, nfmask: 0xffff0000 })).toBe(0xffed)
})
