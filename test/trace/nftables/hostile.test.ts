/** Rulesets that no kernel would hold, in a dump that somebody wrote: undecided or an error, in bounded time, and printed without a fall. */
import { expect, test } from 'vitest'
import { traceIn } from '../../../src/cli/trace/print-trace.ts'
import { loadSnapshot } from '../../../src/snapshot/load.ts'
import { traceFlow } from '../../../src/trace/trace.ts'
import { example, filesOf, withFiles } from '../../snapshot/damage.ts'

const shop = filesOf(example)
const FILE = 'nodes/n1/nft.txt'
const terminal = { width: 80, colour: false, unicode: true, interactive: false, colourStderr: false, canPrompt: false }

/** What becomes of a flow through n1 with one more table there. */
function walk(body: string): readonly string[] {
  const text = `${(shop.get(FILE) as Buffer).toString()}table inet evil {\n${body}}\n`
  const snapshot = loadSnapshot(withFiles(shop, { [FILE]: text }))
  const trace = traceFlow(snapshot, { from: { kind: 'pod', name: 'shop/web-1' }, proto: 'tcp', dst: '10.96.66.150', port: 80 })
  for (const output of ['wide', 'json'] as const)
    expect(traceIn({ output, brief: false, verbose: true, quiet: false, terminal }, trace)).not.toMatch(
      /[\u0000-\u0008\u000b-\u001f\u202a-\u202e]/,
    )
  return [...new Set(trace.outcomes.map((o) => `${o.verdict}${o.reason === undefined ? '' : `: ${o.reason}`}`))]
}

const chain = (name: string, ...rules: readonly string[]): string => `\tchain ${name} {\n${rules.map((r) => `\t\t${r}\n`).join('')}\t}\n`
const base = (...rules: readonly string[]): string => chain('base', 'type filter hook prerouting priority 0; policy accept;', ...rules)
const map = (name: string, elements: string): string =>
  `\tmap ${name} {\n\t\ttype ipv4_addr : verdict\n\t\telements = { ${elements} }\n\t}\n`

test.each([
  ['jumps', chain('a', 'jump b') + chain('b', 'jump a') + base('jump a')],
  ['gotos', chain('a', 'goto b') + chain('b', 'goto a') + base('goto a')],
  ['a map', map('m', '10.244.40.129 : jump a') + chain('a', 'ip saddr vmap @m') + base('ip saddr vmap @m')],
  [
    '2^30 ways down',
    `${Array.from({ length: 30 }, (_, i) => chain(`f${i}`, ...(i < 29 ? [`jump f${i + 1}`, `jump f${i + 1}`] : []))).join('')}${base('jump f0')}`,
  ],
])('chains without end: %s', (_, body) => {
  expect(walk(body)).toEqual([expect.stringMatching(/^undecided: nodes\/n1\/nft.txt: chains of table evil call each other in a circle/)])
})

test.each([
  ['chain', 'jump constructor', /has no chain constructor/],
  ['chain of a map', 'ip saddr vmap { 10.244.40.129 : goto nowhere }', /has no chain nowhere/],
  ['set', 'ip saddr @toString drop', /has no set toString/],
  ['map of verdicts', 'ip saddr vmap @__proto__', /has no set __proto__/],
  ['map of marks', 'meta mark set ip saddr map @nowhere', /has no set nowhere/],
])('a %s that the table lacks', (_, rule, reason) => {
  expect(walk(base(rule))).toEqual([expect.stringMatching(reason)])
})

test('a map of addresses that the table lacks', () => {
  const body = chain('base', 'type nat hook prerouting priority -110; policy accept;', 'dnat ip to ip saddr map @nowhere')
  expect(walk(body)).toEqual([expect.stringMatching(/has no set nowhere/)])
})

test('names of prototypes are names', () => {
  expect(walk(chain('__proto__', 'drop') + base('jump __proto__'))).toEqual(['dropped'])
  expect(
    walk(`\tset constructor {\n\t\ttype ipv4_addr\n\t\telements = { 10.244.40.129 }\n\t}\n${base('ip saddr @constructor drop')}`),
  ).toEqual(['dropped'])
})

test.each([
  ['operators', `meta mark ${'& 0xff '.repeat(20_000)}== 0x1 drop`],
  ['braces', `ip saddr ${'{ '.repeat(20_000)}10.0.0.1${' }'.repeat(20_000)} drop`],
  ['parentheses', `meta mark ${'('.repeat(20_000)}1${')'.repeat(20_000)} drop`],
])('20,000 %s in one rule', (_, rule) => {
  const [found] = walk(base(rule))
  expect(found).toMatch(/^undecided: .*is not modelled/)
  expect(found?.length).toBeLessThan(300)
})

test.each([
  ['ports', 'tcp dport 90-70 drop'],
  ['ports in a set', 'tcp dport { 80, 90-70 } drop'],
  ['addresses', 'ip saddr 10.255.0.0-10.0.0.0 drop'],
  ['numbers', 'numgen random mod 0 < 1 drop'],
  ['hashes', 'jhash ip saddr mod 0 seed 0x1 == 0 drop'],
])('%s that no kernel would hold are not known to match, nor not to', (_, rule) => {
  expect(walk(base(rule))).toEqual([expect.stringMatching(/^undecided: .*is not modelled/)])
})

test('a story of 150,000 steps is told', () => {
  const flow = { from: { kind: 'pod', name: 'shop/web-1' }, proto: 'tcp', dst: '10.96.66.150', port: 80 } as const
  const trace = traceFlow(loadSnapshot(withFiles(shop, {})), flow)
  const paths = trace.paths.map((p, i) => ({ ...p, hops: i === 0 ? [...Array(150_000).fill(p.hops[0]), ...p.hops] : p.hops }))
  const text = traceIn({ output: 'text', brief: false, verbose: true, quiet: false, terminal }, { ...trace, paths })
  expect(text.split('\n').length).toBeGreaterThan(150_000)
})
