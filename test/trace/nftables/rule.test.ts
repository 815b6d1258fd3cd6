/** Native tables of nft in the walk: what needs no kernel to be held against. */
import { describe, expect, test } from 'vitest'
import { traceFlow } from '../../../src/trace/trace.ts'
import type { Trace } from '../../../src/trace/types.ts'
import { flowOf, nftText, parseFlows } from '../../support/netns-case.ts'
import { type Made, make } from '../../support/snapshot-builder.ts'

/** a base chain on FORWARD of n1 as nft prints it */
const forward = (table: string, rules: readonly string[], priority = 'filter') =>
  `table ${table} {\n\tchain ways {\n\t\ttype filter hook forward priority ${priority}; policy accept;\n${rules.map((r) => `\t\t${r}\n`).join('')}\t}\n}\n`

function trace(ruleset: string, flow: string, made: Made = {}): Trace {
  const snapshot = make({ ...made, files: { ...made.files, 'nodes/n1/nft.txt': nftText(ruleset, 4) } })
  const [line] = parseFlows(`${flow.replaceAll('$p2', '10.244.2.2').replaceAll('$p3', '10.244.1.3')} = ok`)
  return traceFlow(snapshot, flowOf(line as NonNullable<typeof line>), {})
}

const verdict = (t: Trace) => t.outcomes.map((o) => o.verdict).join()

describe('base chains of one priority', () => {
  const order = 'of base chains of one priority that of the table created last comes first'
  const ordered = (t: Trace) => t.assumptions?.some((a) => a.startsWith(order)) ?? false

  test('the order is an assumption where the other would have done something else', () => {
    const t = trace(forward('ip a', ['tcp dport 80 reject']) + forward('ip b', ['tcp dport 80 drop']), 'p1 tcp $p2:80')
    expect(verdict(t)).toBe('dropped')
    expect(ordered(t)).toBe(true)
  })

  test('and is not worth a word where it lets the packet pass, does the same, or comes at another priority', () => {
    const others = [
      forward('ip a', ['tcp dport 81 reject']),
      forward('ip a', ['tcp dport 80 drop']),
      forward('ip a', ['tcp dport 80 reject'], 'filter + 1'),
    ]
    for (const other of others) {
      const t = trace(other + forward('ip b', ['tcp dport 80 drop']), 'p1 tcp $p2:80')
      expect(verdict(t)).toBe('dropped')
      expect(ordered(t)).toBe(false)
    }
  })

  test('tables of iptables-nft stand in the list of nft; of the legacy ones nothing tells when they came', () => {
    const rules = { n1: 'filter -A FORWARD -p tcp -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable' }
    const listed = 'table ip filter {\n\tchain FORWARD {\n\t\ttype filter hook forward priority filter; policy accept;\n\t}\n}\n'
    const before = trace(listed + forward('ip b', ['tcp dport 80 drop']), 'p1 tcp $p2:80', { rules })
    expect([verdict(before), ordered(before)]).toEqual(['dropped', true])
    const after = trace(forward('ip b', ['tcp dport 80 drop']) + listed, 'p1 tcp $p2:80', { rules })
    expect([verdict(after), ordered(after)]).toEqual(['refused', true])
    const legacy = trace(forward('ip b', ['tcp dport 80 drop', 'tcp dport 81 drop']), 'p1 tcp $p2:80', { legacy: rules })
    expect(verdict(legacy)).toBe('undecided')
    expect(legacy.undecided?.join()).toMatch(/which comes first/)
    expect(verdict(trace(forward('ip b', ['tcp dport 81 drop']), 'p1 tcp $p2:80', { legacy: rules }))).toBe('refused')
  })
})

describe('what is not modelled', () => {
  test.each([
    'queue to 3',
    'synproxy mss 1460 wscale 7',
    'tproxy to 127.0.0.1:80',
    'xt match string',
    'meta cpu 3 drop',
    'rt mtu 1400 drop',
  ])('%s: undecided for packets that come to it, and for no others', (statement) => {
    const rules = forward('ip t', [`ip daddr $p3 tcp dport 80 ${statement}`, `tcp dport 81 meta mark 0x1 ${statement}`]).replaceAll(
      '$p3',
      '10.244.1.3',
    )
    const reached = trace(rules.replace(/(xt match string)/, '$1 drop'), 'p1 tcp $p3:80')
    expect(verdict(reached)).toBe('undecided')
    expect(reached.undecided?.[0]).toMatch(/^(n1: )?.{10,}/)
    for (const flow of ['p1 tcp $p2:80', 'p1 tcp $p3:81']) expect(verdict(trace(rules, flow))).toBe('delivered')
  })

  test('both answers are followed, and where they agree nothing is undecided', () => {
    expect(verdict(trace(forward('ip t', ['tcp dport 80 meta cpu 3 accept', 'tcp dport 80 meta cpu 3 counter']), 'p1 tcp $p2:80'))).toBe(
      'delivered',
    )
  })
})

test('chains that lead into each other, which no kernel takes, end undecided', () => {
  const rules =
    'table ip t {\n\tchain a {\n\t\tjump b\n\t}\n\tchain b {\n\t\tgoto a\n\t}\n\tchain ways {\n\t\ttype filter hook forward priority filter; policy accept;\n\t\tjump a\n\t}\n}\n'
  const t = trace(rules, 'p1 tcp $p2:80')
  expect(verdict(t)).toBe('undecided')
  expect(t.undecided?.[0]).toMatch(/in a circle/)
})

test('a map’s element is evidence beside its rule, each with its own line', () => {
  const rules = [
    'table ip t {',
    '\tmap ways {',
    '\t\ttype ipv4_addr . inet_proto . inet_service : verdict',
    '\t\telements = { 10.244.1.3 . tcp . 80 : accept,',
    '\t\t\t     10.244.2.2 . tcp . 80 : goto gone }',
    '\t}',
    '',
    '\tchain gone {',
    '\t\tcounter packets 7 bytes 420 drop',
    '\t}',
    '',
    '\tchain forward-all {',
    '\t\ttype filter hook forward priority filter; policy accept;',
    '\t\tip daddr . meta l4proto . th dport vmap @ways',
    '\t}',
    '}',
    '',
  ].join('\n')
  const t = trace(rules, 'p1 tcp $p2:80')
  const hops = t.paths[0]?.hops.filter((h) => h.table === 'ip t') ?? []
  expect(hops.map((h) => [h.chain, h.action, h.stage, h.evidence?.line, h.also?.map((e) => e.text)])).toEqual([
    ['forward-all', 'go to gone', 'filter', 14, ['\t\t\t     10.244.2.2 . tcp . 80 : goto gone }']],
    ['gone', 'drop', 'filter', 9, undefined],
  ])
  expect(hops[0]?.evidence?.text).toBe('\t\tip daddr . meta l4proto . th dport vmap @ways')
  expect(hops[1]?.evidence?.counters).toEqual({ packets: 7, bytes: 420 })
  expect(t.paths[0]?.cause).toMatchObject({ node: 'n1', kind: 'rule', evidence: { line: 9 } })
})

test('affinity: an element of the dump decides', () => {
  const rules = (elements: string) =>
    `table ip t {\n\tset stuck {\n\t\ttype ipv4_addr\n\t\tsize 65535\n\t\tflags dynamic,timeout\n\t\ttimeout 3h\n${elements}\t}\n\n\tchain two {\n\t\tupdate @stuck { ip saddr }\n\t\tmeta l4proto tcp dnat to 10.244.2.2:7000\n\t}\n\n\tchain pre {\n\t\ttype nat hook prerouting priority dstnat; policy accept;\n\t\tip daddr 10.96.0.1 ip saddr @stuck goto two\n\t\tip daddr 10.96.0.1 meta l4proto tcp dnat to 10.244.1.3:7001\n\t}\n}\n`
  const fresh = trace(rules(''), 'p1 tcp 10.96.0.1:80')
  expect(fresh.outcomes).toMatchObject([{ verdict: 'delivered', address: '10.244.1.3', port: 7001 }])
  const stuck = trace(rules('\t\telements = { 10.244.1.2 expires 2h59m }\n'), 'p1 tcp 10.96.0.1:80')
  expect(stuck.outcomes).toMatchObject([{ verdict: 'delivered', address: '10.244.2.2', port: 7000 }])
})
