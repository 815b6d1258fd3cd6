import { expect, test } from 'vitest'
import { AT_ONCE } from '../../../src/kernel/elapsed.ts'
import type { Doubt } from '../../../src/kernel/iptables/doubt.ts'
import { candidates } from '../../../src/kernel/nftables/candidates.ts'
import type { NftEnv } from '../../../src/kernel/nftables/env.ts'
import type { NftElement } from '../../../src/kernel/nftables/expression-types.ts'
import { matches } from '../../../src/kernel/nftables/match.ts'
import { parseNftText } from '../../../src/kernel/nftables/parse-text.ts'
import type { NftChain, NftRule, NftTable } from '../../../src/kernel/nftables/types.ts'
import { ip } from '../../../src/net/ip.ts'
import { port } from '../../../src/net/packet.ts'
import { makeRandom, type Random } from '../../kernel/random.ts'

const never = (): never => {
  throw new Error('nothing here is left to chance')
}

function env(r: Random, table: NftTable): NftEnv {
  return {
    hook: 'FORWARD',
    elapsed: AT_ONCE,
    elements: (set) => table.sets.get(set)?.elements ?? [],
    packet: {
      family: 4,
      proto: 'tcp',
      src: ip(`10.0.0.${r.below(5)}`),
      dst: ip(`10.0.1.${r.below(5)}`),
      sport: port(9),
      dport: port(80 + r.below(3)),
      tcp: 'SYN',
      ttl: 64,
    },
    mark: 0,
    priority: 0,
    ct: { state: 'NEW', direction: 'ORIGINAL', snat: false, dnat: false, seenReply: false, assured: false, confirmed: false, mark: 0 },
    localSender: false,
    inDevice: undefined,
    outDevice: undefined,
    routing: never,
    pick: never,
    hash: never,
    added: () => undefined,
    chance: never,
    unknown: never,
    assume: never,
  }
}

const line = (r: Random): string =>
  [
    r.chance(0.3) ? `tcp dport ${80 + r.below(3)}` : '',
    r.pick(['', `ip daddr 10.0.1.${r.below(9)}`, `ip daddr != 10.0.1.${r.below(5)}`, `ip saddr 10.0.0.${r.below(9)}`, 'iifname "eth0"']),
    r.chance(0.3) ? `ip saddr 10.0.0.0/30` : '',
    r.pick(['drop', 'accept', 'counter packets 0 bytes 0', 'meta mark set 0x00000001']),
  ]
    .filter((w) => w !== '')
    .join(' ')

const holds = (rule: NftRule, e: NftEnv): boolean => {
  const doubts: Doubt[] = []
  const seen = (_: NftElement) => undefined
  return rule.statements.every((s) => s.kind !== 'match' || matches(s, e, doubts, seen))
}

const chainOf = (lines: readonly string[]): { readonly table: NftTable; readonly chain: NftChain } => {
  const text = `table ip t {\n\tchain c {\n${lines.map((l) => `\t\t${l}\n`).join('')}\t}\n}\n`
  const table = parseNftText(text, 'nft.txt').tables[0] as NftTable
  return { table, chain: table.chains.get('c') as NftChain }
}

test('no rule that matches is left out, and the order stays', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const r = makeRandom(seed)
    const { table, chain } = chainOf(Array.from({ length: 40 + r.below(40) }, () => line(r)))
    for (let i = 0; i < 20; i++) {
      const e = env(r, table)
      const chosen = candidates(chain, e)
      expect(chosen.filter((rule) => holds(rule, e))).toEqual(chain.rules.filter((rule) => holds(rule, e)))
    }
  }
})

test('most rules for other addresses are never looked at', () => {
  const { table, chain } = chainOf(Array.from({ length: 10_000 }, (_, i) => `ip daddr 10.${i >> 8}.${i & 255}.1 drop`))
  const e = env(makeRandom(1), table)
  expect(candidates(chain, e).length).toBeLessThan(2)
})

test('a chain that changes addresses is walked from top to bottom', () => {
  const lines = [...Array.from({ length: 50 }, (_, i) => `ip daddr 10.9.0.${i} drop`), 'ip daddr set 10.9.0.9']
  const { table, chain } = chainOf(lines)
  expect(candidates(chain, env(makeRandom(1), table))).toBe(chain.rules)
})
