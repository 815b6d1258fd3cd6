import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { compareText } from '../../../src/report/compare-text.ts'
import { percent } from '../../../src/report/names.ts'
import type { TextOptions } from '../../../src/report/terminal.ts'
import { traceText } from '../../../src/report/trace/trace-text.ts'
import { displayWidth } from '../../../src/report/width.ts'
import type { Trace } from '../../../src/trace/types.ts'
import { ipvs, nftRefused, tooBig, wireguard } from '../fixtures/datapaths.ts'
import { droppedByRule, hostile, loop, nodePort, all as others, refused, replyLost, undecided } from '../fixtures/others.ts'
import { delivered, fifty, oneDenied } from '../fixtures/service.ts'

const traces: Readonly<Record<string, Trace>> = { delivered, oneDenied, fifty, ...others, nftRefused, ipvs, wireguard, tooBig }
const plain = { colour: false, unicode: true } as const
const firstLine = (trace: Trace, opts: TextOptions): string => traceText(trace, opts).split('\n')[0] as string

const renderings = [80, 120].flatMap((width) =>
  [true, false].flatMap((colour) =>
    [true, false].flatMap((unicode) => [{}, { verbose: true }, { wide: true }].map((detail) => ({ width, colour, unicode, ...detail }))),
  ),
)

describe.each(Object.entries(traces))('%s', (name, trace) => {
  test.each(renderings)('keeps to its terminal: %o', (opts) => {
    const raw = traceText(trace, opts)
    const text = stripVTControlCharacters(raw)
    if (!opts.colour) expect(text).toBe(raw)
    const [answer = '', next] = text.split(/^(?= {2}Next )/m)
    // a command to type is not broken
    for (const line of next === undefined ? [] : next.trimEnd().split('\n')) expect(line).toMatch(/^(?: {2}Next| {6}) {7}netctl /)
    for (const line of answer.split('\n')) {
      expect(displayWidth(line)).toBeLessThanOrEqual(opts.width)
      expect(line).toBe(line.trimEnd())
    }
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Cf}/u)
    if (!opts.unicode) expect(text).toMatch(/^[\x20-\x7e\n]*$/)
    expect(text).not.toMatch(/\n\n\n/)
  })

  test('prints every outcome', () => {
    const text = traceText(trace, { ...plain, width: 120 })
    for (const o of trace.outcomes) {
      expect(text.toLowerCase()).toContain(o.verdict)
      if (name !== 'hostile' && o.address) expect(text).toContain(o.address)
      if (o.error) expect(text.replace(/\s+/g, ' ')).toContain(o.error)
      if (trace.outcomes.length > 1) expect(text).toContain(percent(o.probability))
    }
  })

  test('looks as it should', async () => {
    for (const width of [80, 120]) await expect(traceText(trace, { ...plain, width })).toMatchFileSnapshot(`../golden/${name}-${width}.txt`)
  })
})

test('of which no step could be walked, only why is shown', () => {
  const reason = 'n1 could not be read: add --yes'
  const trace: Trace = {
    ...undecided,
    outcomes: [{ verdict: 'undecided', probability: 1, node: 'n1', reason, paths: [0] }],
    paths: [{ verdict: 'undecided', probability: 1, hops: [] }],
    undecided: [reason],
  }
  expect(traceText(trace, plain).split('\n')[0]).toMatch(/ {2}n1 could not be read: add --yes$/)
  for (const text of [traceText(trace, { ...plain, flags: '--yes' }), compareText(trace, plain)]) {
    expect(text).toContain('Missing    n1 could not be read: add --yes')
    expect(text).not.toMatch(/n1: n1|Request|Compared|Next/)
  }
})

describe('the first line', () => {
  test.each(Object.values(traces).flatMap((trace) => trace.paths.filter((p) => p.cause).map((p) => [p.cause, trace] as const)))(
    'shows node and entry of %o',
    (cause, trace) => {
      if (!cause || trace === hostile) return
      expect(firstLine(trace, plain)).toContain(cause.entry)
      expect(firstLine(trace, plain)).toContain(`${cause.node}: `)
      for (const width of [80, 120]) {
        const line = firstLine(trace, { ...plain, width })
        expect(line).toContain(`${cause.node}: `)
        // of a rule its chain and its target, of a sentence its start
        expect(line).toContain(cause.entry.slice(0, 20))
        if (cause.entry.startsWith('-A')) expect(line).toContain(cause.entry.slice(-7))
      }
    },
  )

  test('answers for what was delivered', () => {
    expect(firstLine(delivered, { ...plain, width: 80 })).toBe('✓ DELIVERED  pod/shop/client → svc/shop/web:80/tcp  3 backends on 2 nodes')
    expect(firstLine(delivered, { colour: false, unicode: false, width: 80 })).toBe(
      '+ DELIVERED  pod/shop/client -> svc/shop/web:80/tcp  3 backends on 2 nodes',
    )
  })

  test('counts what got through', () => {
    expect(firstLine(oneDenied, { ...plain, width: 120 })).toBe(
      '! PARTIAL  2 of 3 backends (67 %) delivered; 33 % dropped on n2: -A cali-tw-cali09359efa886 -j DROP',
    )
    expect(firstLine(oneDenied, { ...plain, width: 80 })).toMatch(/^! PARTIAL {2}33 % dropped on n2: -A cali-tw-cali09359efa886 -j DROP$/)
  })

  test('names the flow where nothing has to be cut', () => {
    expect(firstLine(droppedByRule, plain)).toMatch(
      /^✗ DROPPED {2}pod\/shop\/client → pod\/shop\/web-2:8080\/tcp {2}n2: -A FORWARD .*NET-4711.* -j DROP$/,
    )
    expect(firstLine(replyLost, { ...plain, width: 120 })).toBe(
      '✗ DROPPED  pod/shop/client → pod/shop/web-2:8080/tcp  n2: net.ipv4.ip_forward = 0',
    )
  })

  test('says what is missing', () => {
    expect(firstLine(undecided, { ...plain, width: 80 })).toContain('nodes/n2/iptables-save.txt is missing')
    expect(firstLine(nodePort, { ...plain, width: 120 })).toContain('50 % undecided on n3: no folder nodes/n3')
  })
})

describe('the way', () => {
  test('folds endpoints that go the same way', () => {
    const text = traceText(fifty, { ...plain, width: 100 })
    expect(text).toContain('41 of 50 endpoints go the same way')
    expect(text.split('\n').length).toBeLessThan(170)
    expect(text.match(/branch \d\/3/g)).toHaveLength(3)
  })

  test('what failed comes first', () => {
    const text = traceText(fifty, { ...plain, width: 100 })
    expect(text).toMatch(/branch 1\/3 .*✗ dropped/)
    expect(text.indexOf('✗ dropped')).toBeLessThan(text.indexOf('✓ delivered'))
  })

  test('marks the hop where it ended, and only that', () => {
    const steps = (trace: Trace): string[] => traceText(trace, { ...plain, width: 80 }).match(/^ {2}\w+ +✗ .*$/gm) ?? []
    expect(steps(droppedByRule)).toEqual([expect.stringMatching(/^ {2}other {2}✗ filter {4}drop {2}FORWARD +iptables-save.txt:109$/)])
    expect(steps(replyLost)).toEqual([expect.stringContaining('net.ipv4.ip_forward = 0')])
    expect(steps(refused)).toEqual([expect.stringContaining('reject with icmp-port-unreachable')])
    expect(steps(loop).at(-1)).toContain('TTL 0')
  })

  test('rules that were tried show with -v only', () => {
    expect(traceText(delivered, { ...plain, width: 80 })).not.toContain('no match')
    expect(traceText(delivered, { ...plain, width: 80 })).toContain('8 rules passed: raw 4, mangle 2, nat 2 (calico, kproxy)')
    expect(traceText(delivered, { ...plain, width: 80, verbose: true })).toContain('no match')
    expect(traceText(delivered, { ...plain, width: 80, verbose: true })).not.toContain('rules passed')
  })

  test('owners are words, not only colours', () => {
    const text = traceText(droppedByRule, { ...plain, width: 80 })
    for (const tag of ['calico', 'kernel', 'other']) expect(text).toMatch(new RegExp(`^ {2}${tag} `, 'm'))
  })
})

test('a dump cannot steer the terminal', () => {
  for (const opts of renderings) {
    const raw = traceText(hostile, opts)
    // the only escapes are our own: colours
    expect(raw.replace(/\u001b\[\d+m/g, '')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
  }
})

test('nothing is cut where there is no terminal', () => {
  const long = 'x'.repeat(150)
  const trace = { ...droppedByRule, flow: { ...droppedByRule.flow, label: { from: `pod/shop/${long}`, to: `svc/shop/${long}:80` } } }
  expect(traceText(trace, plain)).toContain(`pod/shop/${long} → svc/shop/${long}:80/tcp`)
})

test('suggested commands can be pasted', () => {
  const text = traceText(undecided, { ...plain, width: 120, flags: '--snapshot examples/demo' })
  expect(text).toContain('netctl trace pod/shop/client pod/shop/web-2:8080/tcp --snapshot examples/demo -v')
  expect(text).toContain('netctl compare pod/shop/client pod/shop/web-2:8080/tcp --snapshot examples/demo')
})
