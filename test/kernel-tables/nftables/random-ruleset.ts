/**
 * Random rulesets that the kernel takes and nft lists as they are: no two elements of a set touch, no match says what another says, and
 * values are in the shortest form.
 */

import type { Expression, NftElement, SetExpression, Value, Verdict } from '../../../src/kernel/nftables/expression-types.ts'
import type { MatchOperator, NatStatement, Statement } from '../../../src/kernel/nftables/statement-types.ts'
import type { BaseChain, NftChain, NftRule, NftRuleset, NftSet, NftTable } from '../../../src/kernel/nftables/types.ts'
import { type Ip, ip, prefix } from '../../../src/net/ip.ts'
import { fc } from '../../support/properties.ts'

type Family = 'ip' | 'ip6' | 'inet'

const n = (value: number): Value => ({ kind: 'number', value })
const payload = (protocol: string, field: string): Expression => ({ kind: 'payload', protocol, field })
const meta = (key: string): Expression => ({ kind: 'meta', key })
const verdict = (v: Verdict): Statement => ({ kind: 'verdict', verdict: v })
const element = (key: Value, data?: Value): NftElement => ({ key, line: 1, ...(data && { data }) })

const mark = fc.nat({ max: 0xffffffff })
const port = fc.integer({ min: 1, max: 65534 })
/** hosts and networks of different thousands never touch */
const place = fc.integer({ min: 1, max: 200 })

const hostAt = (v: 4 | 6, i: number): Ip => ip(v === 4 ? `10.${i}.0.7` : `fd00:${i.toString(16)}::7`)
const address = (v: 4 | 6, i: number): Value => ({ kind: 'ip', ip: hostAt(v, i) })
const network = (v: 4 | 6, i: number): Value => ({
  kind: 'prefix',
  prefix: prefix(ip(v === 4 ? `10.${i}.0.0` : `fd00:${i.toString(16)}::`), v === 4 ? 20 : 64),
})
const span = (v: 4 | 6, i: number): Value => ({
  kind: 'range',
  from: { kind: 'ip', ip: ip(v === 4 ? `10.${i}.1.1` : `fd00:${i.toString(16)}::1:1`) },
  to: { kind: 'ip', ip: ip(v === 4 ? `10.${i}.2.6` : `fd00:${i.toString(16)}::2:6`) },
})
const version = (family: Family) =>
  family === 'ip' ? fc.constant(4 as const) : family === 'ip6' ? fc.constant(6 as const) : fc.constantFrom(4 as const, 6 as const)
const addressOf = (v: 4 | 6) => place.chain((i) => fc.constantFrom(address(v, i), network(v, i), span(v, i)))
const portOf = fc.oneof(
  port.map(n),
  fc.integer({ min: 1, max: 600 }).map((i): Value => ({ kind: 'range', from: n(i * 100), to: n(i * 100 + 50) })),
)
const device: fc.Arbitrary<Value> = fc.oneof(
  fc.stringMatching(/^[a-z][a-z0-9._-]{0,9}$/).map((value): Value => ({ kind: 'string', value })),
  fc.stringMatching(/^[a-z]{1,6}$/).map((text): Value => ({ kind: 'wildcard', prefix: text })),
)
/** masks that are no prefix: those of leading bits are printed as one, and that is read as a range */
const inner = fc.integer({ min: 1, max: 0x7fffffff })
const comparison = fc.constantFrom<MatchOperator>('==', '!=')
const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,11}$/)
const comment = fc.stringMatching(/^[!#-~](?:[ -!#-~]{0,30}[!#-~])?$/)

/** A set of values a hundred apart. */
const literal = (at: (i: number) => Value, more = 5): fc.Arbitrary<SetExpression> =>
  fc.uniqueArray(place, { minLength: 2, maxLength: more }).map((list) => ({ kind: 'set', elements: list.map((i) => element(at(i))) }))

const match = (left: Expression, operator: MatchOperator, right: Expression): Statement => ({ kind: 'match', left, operator, right })

const bits = (...values: readonly number[]) =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 }).map((list) => n(list.reduce((x, y) => x + y, 0)))

function matches(v: 4 | 6): fc.Arbitrary<Statement> {
  const side = fc.constantFrom('saddr', 'daddr')
  const protocol = v === 4 ? 'ip' : 'ip6'
  return fc.oneof(
    fc.tuple(side, comparison, addressOf(v)).map(([field, op, right]) => match(payload(protocol, field), op, right)),
    fc
      .tuple(
        side,
        comparison,
        literal((i) => (i % 2 ? address(v, i) : network(v, i))),
      )
      .map(([field, op, right]) => match(payload(protocol, field), op, right)),
    fc
      .tuple(fc.constantFrom('tcp', 'udp', 'sctp'), fc.constantFrom('sport', 'dport'), comparison, portOf)
      .map(([p, field, op, right]) => match(payload(p, field), op, right)),
    fc
      .tuple(fc.constantFrom('tcp', 'udp'), comparison)
      .chain(([p, op]) => literal((i) => n(i * 100)).map((right) => match(payload(p, 'dport'), op, right))),
    fc.tuple(fc.constantFrom('iifname', 'oifname'), comparison, device).map(([key, op, right]) => match(meta(key), op, right)),
    fc.tuple(comparison, mark).map(([op, value]) => match(meta('mark'), op, n(value))),
    fc
      .tuple(comparison, inner, mark)
      .map(([op, mask, value]) =>
        match({ kind: 'binary', operator: '&', left: meta('mark'), right: n(mask) }, op, n((value & mask) >>> 0)),
      ),
    bits(1, 2, 4, 8, 64).map((right) => match({ kind: 'ct', key: 'state' }, 'in', right)),
    fc.constantFrom(1, 2, 4, 8, 64).map((value) => match({ kind: 'ct', key: 'state' }, '!=', n(value))),
    bits(1, 2, 4, 8, 16, 32).map((right) => match({ kind: 'ct', key: 'status' }, 'in', right)),
    fc.constantFrom(0, 1).map((value) => match({ kind: 'ct', key: 'direction' }, '==', n(value))),
    fc
      .tuple(comparison, fc.constantFrom(1, 2, 3, 5))
      .map(([op, value]) => match({ kind: 'fib', result: 'type', flags: ['daddr'] }, op, n(value))),
    bits(1, 2, 4, 16).map((right) => match(payload('tcp', 'flags'), 'in', right)),
    fc
      .constantFrom(0x12, 0x02, 0x10)
      .map((right) => match({ kind: 'binary', operator: '&', left: payload('tcp', 'flags'), right: n(0x17) }, '==', n(right))),
    fc
      .tuple(fc.integer({ min: 2, max: 9 }), fc.constantFrom('random' as const, 'inc' as const))
      .map(([modulus, mode]) => match({ kind: 'numgen', mode, modulus, offset: 0 }, '==', n(modulus - 1))),
    fc.integer({ min: 1, max: 1500 }).map((length) => match(meta('length'), '<=', n(length))),
  )
}

const counters = fc.tuple(fc.maxSafeNat(), fc.maxSafeNat()).map(([packets, bytes]): Statement => ({ kind: 'counter', packets, bytes }))

function acts(v: 4 | 6): fc.Arbitrary<Statement> {
  return fc.oneof(
    counters,
    mark.map((value): Statement => ({ kind: 'mangle', key: meta('mark'), value: n(value) })),
    fc.integer({ min: 1, max: 0xfffffffe }).map(
      (value): Statement => ({
        kind: 'mangle',
        key: meta('mark'),
        value: { kind: 'binary', operator: '|', left: meta('mark'), right: n(value) },
      }),
    ),
    fc.integer({ min: 1, max: 0xfffffffe }).map(
      (value): Statement => ({
        kind: 'mangle',
        key: { kind: 'ct', key: 'mark' },
        value: { kind: 'binary', operator: '&', left: meta('mark'), right: n(value) },
      }),
    ),
    fc.uniqueArray(place, { minLength: 1, maxLength: 4 }).map((list): Statement => {
      const map: SetExpression = { kind: 'set', elements: list.map((i) => element(address(v, i), n(i))) }
      return { kind: 'mangle', key: meta('mark'), value: { kind: 'map', key: payload(v === 4 ? 'ip' : 'ip6', 'saddr'), map } }
    }),
    fc
      .tuple(
        fc.integer({ min: 1, max: 1000 }),
        fc.constantFrom('second' as const, 'minute' as const, 'hour' as const),
        fc.integer({ min: 1, max: 99 }),
        fc.boolean(),
      )
      .map(
        ([rate, per, burst, over]): Statement => ({
          kind: 'limit',
          limit: { rate, rateUnit: 'packets', per, burst, burstUnit: 'packets', over },
        }),
      ),
    comment.map((text): Statement => ({ kind: 'log', options: { prefix: text.replaceAll('$', 's'), flags: [] } })),
    fc.constant<Statement>({ kind: 'notrack' }),
  )
}

const verdicts = fc.constantFrom<Verdict>(
  { kind: 'accept' },
  { kind: 'drop' },
  { kind: 'return' },
  { kind: 'continue' },
  { kind: 'jump', chain: 'sub' },
  { kind: 'goto', chain: 'sub' },
)

function endings(family: Family): fc.Arbitrary<Statement> {
  const vmaps = fc
    .tuple(fc.uniqueArray(place, { minLength: 1, maxLength: 5 }), fc.array(verdicts, { minLength: 10, maxLength: 10 }))
    .chain(([list, chosen]) => {
      const elements = list.map((i, at) => element(n(i * 100), { kind: 'verdict', verdict: chosen[at] as Verdict }))
      const dispatch = list.map((_, at) => element(n(at), { kind: 'verdict', verdict: chosen[at + 5] as Verdict }))
      return fc.constantFrom<Statement>(
        { kind: 'vmap', key: meta('mark'), map: { kind: 'set', elements } },
        {
          kind: 'vmap',
          key: { kind: 'numgen', mode: 'random', modulus: list.length, offset: 0 },
          map: { kind: 'set', elements: dispatch },
        },
        { kind: 'vmap', key: meta('iifname'), map: { kind: 'setref', name: 'by-device' } },
      )
    })
  const code =
    family === 'ip'
      ? { kind: 'icmp' as const, code: 3 }
      : family === 'ip6'
        ? { kind: 'icmpv6' as const, code: 4 }
        : { kind: 'icmpx' as const, code: 1 }
  return fc.oneof(verdicts.map(verdict), vmaps, fc.constant<Statement>({ kind: 'reject', with: code }))
}

/** In nat chains: where to. */
function translations(family: Family): fc.Arbitrary<Statement> {
  const flags = fc.subarray(['fully-random', 'persistent'])
  return fc.tuple(version(family), place, portOf, flags, fc.constantFrom(0, 1, 2, 3)).map(([v, i, to, list, form]): Statement => {
    const more = family === 'inet' || form === 3 ? { family: v === 4 ? ('ip' as const) : ('ip6' as const) } : {}
    const nat: NatStatement = { kind: 'dnat', ...more, flags: list }
    if (form === 0) return { ...nat, address: address(v, i) }
    if (form === 1) return { ...nat, address: span(v, i) }
    if (form === 2) return { kind: 'redirect', port: to, flags: list.filter((f) => f === 'fully-random') }
    const elements = [0, 1].map((e) => element(n(e), { kind: 'concat', parts: [address(v, i + e), n(8080 + e)] }))
    return {
      ...nat,
      address: { kind: 'map', key: { kind: 'numgen', mode: 'random', modulus: 2, offset: 0 }, map: { kind: 'set', elements } },
    }
  })
}

const ruleOf = (parts: readonly Statement[], text: string | null): NftRule => ({
  line: 1,
  statements: parts,
  ...(text !== null && { comment: text }),
})

/** One match of one version, since nft leaves out what another match implies. */
const rules = (family: Family) =>
  version(family)
    .chain((v) => fc.tuple(fc.option(matches(v)), fc.array(acts(v), { maxLength: 2 }), fc.option(endings(family)), fc.option(comment)))
    .filter(([m, a, e]) => m !== null || a.length > 0 || e !== null)
    .map(([m, a, e, text]) => ruleOf([...(m ? [m] : []), ...a, ...(e ? [e] : [])], text))

const natRules = (family: Family) =>
  fc
    .tuple(fc.constantFrom('tcp', 'udp'), port, translations(family))
    .map(([protocol, p, to]) => ruleOf([match(payload(protocol, 'dport'), '==', n(p)), to], null))

function sets(family: Family): fc.Arbitrary<readonly NftSet[]> {
  const empty = { line: 1, statements: [] }
  const addresses = fc.tuple(version(family), fc.uniqueArray(place, { maxLength: 30 }), fc.boolean()).map(([v, list, interval]): NftSet => {
    const key = (i: number) => (interval ? [address(v, i), network(v, i), span(v, i)][i % 3] : address(v, i)) as Value
    return {
      ...empty,
      name: 'some-addresses',
      types: [v === 4 ? 'ipv4_addr' : 'ipv6_addr'],
      flags: interval ? ['interval'] : [],
      elements: list.map((i) => element(key(i))),
    }
  })
  const services = fc
    .tuple(
      version(family),
      fc.uniqueArray(place, { maxLength: 20 }),
      fc.array(fc.tuple(verdicts, fc.option(comment)), { minLength: 20, maxLength: 20 }),
    )
    .map(([v, list, chosen]): NftSet => {
      const elements = list.map((i, at) => {
        const [value, text] = chosen[at] as [Verdict, string | null]
        const key: Value = { kind: 'concat', parts: [address(v, i), n(i % 2 ? 6 : 17), n(i * 7)] }
        return { ...element(key, { kind: 'verdict', verdict: value }), ...(text !== null && { comment: text }) }
      })
      return {
        ...empty,
        name: 'by-service',
        types: [v === 4 ? 'ipv4_addr' : 'ipv6_addr', 'inet_proto', 'inet_service'],
        map: { kind: 'verdict' },
        flags: [],
        elements,
      }
    })
  const devices = fc.uniqueArray(word, { minLength: 1, maxLength: 8 }).map((list): NftSet => {
    const elements = list.map((value) => element({ kind: 'string', value }, { kind: 'verdict', verdict: { kind: 'goto', chain: 'sub' } }))
    return { ...empty, name: 'by-device', types: ['ifname'], map: { kind: 'verdict' }, flags: [], elements }
  })
  return fc.tuple(addresses, services, devices)
}

function tables(family: Family, name: string): fc.Arbitrary<NftTable> {
  // the kernel wants NAT after conntrack, which is at -200
  const base = (type: BaseChain['type'], hook: string) =>
    fc
      .tuple(fc.integer({ min: type === 'nat' ? -199 : -400, max: 400 }), fc.constantFrom('accept' as const, 'drop' as const))
      .map(([priority, policy]): BaseChain => ({ type, hook, priority, policy, devices: [], line: 1 }))
  // the kernel refuses `reject` in postrouting
  const filter = fc.constantFrom('prerouting', 'input', 'forward', 'output').chain((hook) => base('filter', hook))
  return fc
    .record({
      sets: sets(family),
      sub: fc.array(version(family).chain(acts), { maxLength: 4 }),
      filter,
      rules: fc.array(rules(family), { maxLength: 25 }),
      nat: base('nat', 'prerouting'),
      natRules: fc.array(natRules(family), { maxLength: 8 }),
    })
    .map(({ sets: own, sub, filter: hooked, rules: list, nat, natRules: to }) => {
      const chain = (as: string, more: readonly NftRule[], at?: BaseChain): readonly [string, NftChain] => [
        as,
        { name: as, line: 1, rules: more, ...(at && { base: at }) },
      ]
      const chains = new Map([
        chain(
          'sub',
          sub.map((s) => ruleOf([s], null)),
        ),
        chain('hooked', list, hooked),
        chain('translating', to, nat),
      ])
      return { family, name, flags: [], line: 1, chains, sets: new Map(own.map((s) => [s.name, s])), objects: [], flowtables: [] }
    })
}

export const randomRuleset: fc.Arbitrary<NftRuleset> = fc
  .tuple(tables('ip', 'one'), tables('ip6', 'two'), tables('inet', 'three'))
  .map((list) => ({ file: 'random', tables: list }))
