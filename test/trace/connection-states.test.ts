/**
 * The next packet of a connection that exists. Expectations are written by hand from nf_conntrack_core.c and nf_conntrack_proto_tcp.c; what a
 * real kernel does is held against them in test/kernel/connection-states.test.ts.
 */
import { describe, expect, test } from 'vitest'
import { traceFlow } from '../../src/trace/trace.ts'
import type { Flow, Trace } from '../../src/trace/types.ts'
import { entry } from '../support/conntrack-lines.ts'
import { forFamily } from '../support/netns-case.ts'
import { outcomeText } from '../support/outcome-text.ts'
import { link, type Made, make } from '../support/snapshot-builder.ts'

const p1: Flow['from'] = { kind: 'pod', name: 't/p1' }
const families = [4, 6] as const
const say = (text: string, family: 4 | 6) => forFamily(text, family)

function ask(m: Made, flow: Omit<Flow, 'from'> & Partial<Pick<Flow, 'from'>>, family: 4 | 6 = 4): Trace {
  return traceFlow(make(m, family), { from: p1, ...flow, dst: say(flow.dst, family) })
}
const told = (t: Trace): string =>
  t.outcomes
    .map((o) => `${o.probability === 1 ? '' : `${o.probability} `}${o.reason ?? outcomeText(o, t.flow.proto)}`)
    .sort()
    .join(' | ')

/** nothing new passes n1, and what does is sent to p2 */
const closed = `
  nat -A PREROUTING -d $svc/{32|128} -p tcp -m tcp --dport 80 -j DNAT --to-destination $p2:7000
  nat -A PREROUTING -d $svc/{32|128} -p udp -m udp --dport 53 -j DNAT --to-destination $p2:53
  filter -P FORWARD DROP
  filter -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT`

const web = { proto: 'tcp', dst: '$svc', port: 80 } as const
const dns = { proto: 'udp', dst: '$svc', port: 53 } as const
/** a connection of p1 to the service address that goes on to p3, where the rules send nothing */
const toP3 = (family: 4 | 6, more: Partial<Parameters<typeof entry>[0]> = {}) => {
  const at = (name: string) => say(`$${name}`, family)
  return entry({
    src: at('p1'),
    dst: at('svc'),
    sport: 40000,
    dport: more.state === undefined ? 53 : 80,
    from: at('p3'),
    fromPort: more.state === undefined ? 53 : 7000,
    ...more,
  })
}
const withEntries = (lines: string, more: Made = {}): Made => ({
  rules: { n1: closed },
  ...more,
  files: { 'nodes/n1/conntrack.txt': lines, 'nodes/n2/conntrack.txt': '', ...more.files },
})

describe.each(families)('established (IPv%i)', (family) => {
  const at = (name: string) => say(`$${name}`, family)

  test('passes where nothing new does; what is taken for granted is said', () => {
    const rules = { rules: { n1: closed } }
    expect(told(ask(rules, web, family))).toBe('dropped')
    const trace = ask(rules, { ...web, state: 'established' }, family)
    expect(told(trace)).toBe(say('p2 $p2:7000 < $p1', family))
    expect(trace.flow.state).toBe('established')
    expect(trace.assumptions).toEqual(
      expect.arrayContaining([expect.stringContaining('that its nat rules make today'), expect.stringContaining('connection still open')]),
    )
  })

  test('UDP and ping as well', () => {
    const rules = { rules: { n1: closed } }
    expect(told(ask(rules, { ...dns, state: 'established' }, family))).toBe(say('p2 $p2:53 < $p1', family))
    expect(told(ask(rules, { proto: 'icmp', dst: '$p2' }, family))).toBe('dropped')
    expect(told(ask(rules, { proto: 'icmp', dst: '$p2', state: 'established' }, family))).toBe('ok')
  })

  test('a rule that stops established packets stops them', () => {
    const rules = { rules: { n1: 'filter -A FORWARD -p tcp -j DROP' } }
    const trace = ask(rules, { ...web, dst: '$p2', state: 'established' }, family)
    expect(told(trace)).toBe('dropped')
    expect(trace.paths[0]?.cause?.evidence?.text).toContain('-j DROP')
  })

  test('it is no SYN', () => {
    const rules = { rules: { n1: 'filter -A FORWARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP' } }
    expect(told(ask(rules, { ...web, dst: '$p2' }, family))).toBe('dropped')
    expect(told(ask(rules, { ...web, dst: '$p2', state: 'established' }, family))).toBe(say('p2 $p2:80 < $p1', family))
  })

  test('an entry of the very port is followed', () => {
    const dumped = withEntries(toP3(family, { state: 'ESTABLISHED' }))
    const trace = ask(dumped, { ...web, state: 'established', sourcePort: 40000 }, family)
    expect(told(trace)).toBe(say('p3 $p3:7000 < $p1', family))
    expect(trace.assumptions?.join()).not.toContain('nat rules make today')
    expect(told(ask(dumped, { ...web, state: 'established', sourcePort: 40001 }, family))).toBe(say('p2 $p2:7000 < $p1', family))
  })

  test('a node that sees one direction only can not tell', () => {
    const oneWay: Made = { routes: { n2: '-$pods1\n$pods1 via $n1b dev eth1', ext: '-$pods1\n$pods1 via $n2 dev eth0' } }
    const trace = ask(
      { ...oneWay, rules: { n2: 'filter -A FORWARD -j ACCEPT' } },
      { from: { kind: 'external', name: 'ext' }, proto: 'tcp', dst: '$p1', port: 80, state: 'established' },
      family,
    )
    expect(told(trace)).toContain('n2 sees the requests of this connection, but not their answers')
  })

  test('where nobody listens the server may still have it open, or not', () => {
    expect(told(ask({ rules: { n1: closed } }, { ...web, dst: '$p2', port: 99, state: 'established' }, family))).toContain(
      'whether it still has the connection is not known',
    )
  })

  test('the server’s namespace answers for UDP by its sockets', () => {
    expect(
      told(
        ask(
          { rules: { n1: closed.replace('ESTABLISHED', 'RELATED,ESTABLISHED') } },
          { proto: 'udp', dst: '$p2', port: 99, state: 'established' },
          family,
        ),
      ),
    ).toBe(`icmp ${family === 4 ? '3/3' : '1/4'} ${at('p2')}`)
  })
})

describe.each(families)('from the dump (IPv%i)', (family) => {
  test('the entry’s own translation, not that of today’s rules', () => {
    const trace = ask(withEntries(toP3(family, { state: 'ESTABLISHED' })), { ...web, state: 'from-dump' }, family)
    expect(told(trace)).toBe(say('p3 $p3:7000 < $p1', family))
    const hop = trace.paths[0]?.hops.find((h) => h.stage === 'conntrack')
    expect(hop).toMatchObject({ node: 'n1', evidence: { file: 'nodes/n1/conntrack.txt', line: 1 } })
    expect(hop?.action).toContain(say('entry: ESTABLISHED goes on to $p3:7000', family))
  })

  test('UNREPLIED is NEW, but the nat rules are not asked again', () => {
    const trace = ask(withEntries(toP3(family, { flags: ['UNREPLIED'] })), { ...dns, state: 'from-dump' }, family)
    expect(told(trace)).toBe('dropped')
    expect(trace.paths[0]?.hops.some((h) => h.packet?.includes(say('$p3:53', family)))).toBe(true)
    const open: Made = { rules: { n1: closed.replace('-P FORWARD DROP', '-P FORWARD ACCEPT') } }
    expect(told(ask(withEntries(toP3(family, { flags: ['UNREPLIED'] }), open), { ...dns, state: 'from-dump' }, family))).toBe(
      say('p3 $p3:53 < $p1', family),
    )
  })

  test('SYN_SENT: the SYN comes again, with the translation it had', () => {
    const open: Made = {
      rules: {
        n1: closed
          .replace('-P FORWARD DROP', '-P FORWARD ACCEPT')
          .concat('\nfilter -A FORWARD -p tcp -m tcp --tcp-flags SYN,ACK ACK -m conntrack --ctstate NEW -j DROP'),
      },
    }
    const trace = ask(withEntries(toP3(family, { state: 'SYN_SENT', flags: ['UNREPLIED'] }), open), { ...web, state: 'from-dump' }, family)
    expect(told(trace)).toBe(say('p3 $p3:7000 < $p1', family))
  })

  test('TIME_WAIT is over: the next SYN asks the nat rules anew', () => {
    const open: Made = { rules: { n1: closed.replace('-P FORWARD DROP', '-P FORWARD ACCEPT') } }
    const over = withEntries(toP3(family, { state: 'TIME_WAIT' }), open)
    const trace = ask(over, { ...web, state: 'from-dump' }, family)
    expect(told(trace)).toBe(say('p2 $p2:7000 < $p1', family))
    expect(trace.assumptions?.join()).toContain('the connection is over (TIME_WAIT)')
    expect(told(ask(over, { ...web, sourcePort: 40000 }, family))).toBe(say('p2 $p2:7000 < $p1', family))
  })

  test('CLOSE: who reset it decides whether it may begin again', () => {
    const open: Made = { rules: { n1: closed.replace('-P FORWARD DROP', '-P FORWARD ACCEPT') } }
    const trace = ask(withEntries(toP3(family, { state: 'CLOSE' }), open), { ...web, state: 'from-dump' }, family)
    expect(told(trace)).toContain('which side reset the connection of nodes/n1/conntrack.txt:1 is not known')
  })

  test('a connection that lives comes before those that are over', () => {
    const lines = toP3(family, { state: 'TIME_WAIT', sport: 41000, toPort: 41000 }) + toP3(family, { state: 'ESTABLISHED' })
    const trace = ask(withEntries(lines), { ...web, state: 'from-dump' }, family)
    expect(told(trace)).toBe(say('p3 $p3:7000 < $p1', family))
    expect(trace.paths[0]?.hops.find((h) => h.stage === 'conntrack')?.evidence?.line).toBe(2)
  })

  test('entries that go the same way are one arm, by their number', () => {
    const at = (name: string) => say(`$${name}`, family)
    const lines =
      [40000, 40001, 40002].map((sport) => toP3(family, { state: 'ESTABLISHED', sport, toPort: sport })).join('') +
      toP3(family, { state: 'ESTABLISHED', sport: 40003, toPort: 40003, from: at('p2') })
    // n2 has it as well, as the packets leave n1
    const onward = entry({ state: 'ESTABLISHED', src: at('p1'), dst: at('p2'), sport: 40003, dport: 7000 })
    const dumped = withEntries(lines, { files: { 'nodes/n1/conntrack.txt': lines, 'nodes/n2/conntrack.txt': onward } })
    expect(told(ask(dumped, { ...web, state: 'from-dump' }, family))).toBe(say('0.25 p2 $p2:7000 < $p1 | 0.75 p3 $p3:7000 < $p1', family))
    expect(told(ask(dumped, { ...web, state: 'from-dump', sourcePort: 40003 }, family))).toBe(say('p2 $p2:7000 < $p1', family))
  })

  test('offloaded entries pass by the rules', () => {
    expect(
      told(ask(withEntries(toP3(family, { state: 'ESTABLISHED', flags: ['OFFLOAD'] })), { ...web, state: 'from-dump' }, family)),
    ).toContain('nodes/n1/conntrack.txt:1 is offloaded')
  })

  test('without an entry: which files were looked through', () => {
    expect(
      told(ask(withEntries(toP3(family, { state: 'ESTABLISHED', dst: say('$svc2', family) })), { ...web, state: 'from-dump' }, family)),
    ).toBe('no entry of this connection in nodes/n1/conntrack.txt')
  })

  test('without the dump', () => {
    expect(told(ask({ rules: { n1: closed } }, { ...web, state: 'from-dump' }, family))).toBe(
      'nodes/n1/conntrack.txt is missing: which connections n1 has is not known',
    )
    const half = withEntries(toP3(family, { state: 'ESTABLISHED', from: say('$p2', family) }), {
      files: {
        'nodes/n1/conntrack.txt': toP3(family, { state: 'ESTABLISHED', from: say('$p2', family) }),
        'nodes/n2/conntrack.txt': false,
      },
      rules: { n1: closed, n2: 'filter -A FORWARD -j ACCEPT' },
    })
    expect(told(ask(half, { ...web, state: 'from-dump' }, family))).toBe(
      'nodes/n2/conntrack.txt is missing: whether n2 knows the connection is not known',
    )
  })
})

describe('a node on the way without the entry', () => {
  const lines = toP3(4, { state: 'ESTABLISHED', from: '10.244.2.2' })
  const picked = (loose: number | undefined, rule: string): Trace =>
    ask(
      withEntries(lines, {
        rules: { n1: closed, n2: rule },
        ...(loose !== undefined && { sysctl: { n2: { 'net.netfilter.nf_conntrack_tcp_loose': loose } } }),
      }),
      { ...web, state: 'from-dump' },
    )
  const dropNew = 'filter -A FORWARD -m conntrack --ctstate NEW -j DROP'
  const dropInvalid = 'filter -A FORWARD -m conntrack --ctstate INVALID -j DROP'

  test('picks it up in mid-stream as NEW while tcp_loose is on', () => {
    expect([told(picked(1, dropNew)), told(picked(1, dropInvalid))]).toEqual(['dropped', 'p2 10.244.2.2:7000 < 10.244.1.2'])
    const hop = picked(1, dropInvalid).paths[0]?.hops.find((h) => h.node === 'n2' && h.stage === 'conntrack')
    expect(hop?.evidence?.text).toBe('net.netfilter.nf_conntrack_tcp_loose = 1')
  })

  test('finds it INVALID when it is off', () => {
    expect([told(picked(0, dropNew)), told(picked(0, dropInvalid))]).toEqual(['p2 10.244.2.2:7000 < 10.244.1.2', 'dropped'])
  })

  test('the kernel starts with 1, which is said', () => {
    const trace = picked(undefined, dropNew)
    expect(told(trace)).toBe('dropped')
    expect(trace.assumptions?.join()).toContain('n2: nf_conntrack_tcp_loose is taken to be 1')
  })
})

test('conntrack -L without -f ipv6 tells nothing about IPv6', () => {
  const m = withEntries(
    'tcp      6 9 CLOSE src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 mark=0 use=1\n',
  )
  expect(told(ask(m, { ...web, state: 'from-dump' }, 6))).toContain('has no IPv6 entries (conntrack -L -f ipv6)')
})

test('a ping is found by its id', () => {
  const line =
    'icmp     1 29 src=10.244.1.2 dst=10.244.2.2 type=8 code=0 id=77 src=10.244.2.2 dst=10.244.1.2 type=0 code=0 id=77 mark=0 use=1\n'
  const m: Made = { rules: { n1: closed }, files: { 'nodes/n1/conntrack.txt': line, 'nodes/n2/conntrack.txt': line } }
  expect(told(ask(m, { proto: 'icmp', dst: '$p2', state: 'from-dump' }))).toBe('ok')
})

describe.each(families)('IPVS (IPv%i)', (family) => {
  const at = (name: string) => say(`$${name}`, family)
  const vip = family === 4 ? at('svc') : `[${at('svc')}]`
  const real = (name: string) => (family === 4 ? at(name) : `[${at(name)}]`)
  const m = (lines: string, more: Record<string, string> = {}): Made => ({
    rules: { n1: 'filter -A INPUT -j ACCEPT' },
    links: { n1: [link(40, 'kube-ipvs0', 'dummy', [`${at('svc')}/${family === 4 ? 32 : 128}`])] },
    routes: { n1: 'local $svc dev kube-ipvs0 table local' },
    files: {
      'nodes/n1/ipvsadm-save.txt': `-A -t ${vip}:80 -s rr\n-a -t ${vip}:80 -r ${real('p2')}:7000 -m -w 1\n`,
      'nodes/n1/sysctl-vs.txt': 'net.ipv4.vs.conntrack = 1\nnet.ipv4.vs.sloppy_tcp = 0\n',
      'nodes/n1/conntrack.txt': lines,
      'nodes/n2/conntrack.txt': '',
      ...more,
    },
  })

  test('an established connection goes to a server that it could have got', () => {
    expect(told(ask(m(''), web, family))).toBe(say('p2 $p2:7000 < $p1', family))
    expect(told(ask(m(''), { ...web, state: 'established' }, family))).toBe(say('p2 $p2:7000 < $p1', family))
  })

  test('that of the dump to the one that conntrack shows, which no virtual server lists any more', () => {
    const trace = ask(m(toP3(family, { state: 'ESTABLISHED' })), { ...web, state: 'from-dump' }, family)
    expect(told(trace)).toBe(say('p3 $p3:7000 < $p1', family))
    expect(trace.assumptions?.join()).toContain('ipvsadm -Lnc was not recorded')
  })

  test('where ipvsadm -Lnc was recorded it decides', () => {
    const listed = (server: string) =>
      `IPVS connection entries\npro expire state       source             virtual            destination\nTCP 14:55  ESTABLISHED ${real('p1')}:40000 ${vip}:80 ${real(server)}:7000\n`
    const asked = (more: string) =>
      ask(m(toP3(family, { state: 'ESTABLISHED' }), { 'nodes/n1/ipvsadm-conn.txt': more }), { ...web, state: 'from-dump' }, family)
    expect(told(asked(listed('p3')))).toBe(say('p3 $p3:7000 < $p1', family))
    // conntrack outlives the connection of IPVS: a segment in mid-stream begins none, and the node itself knows no such connection
    expect(told(asked(listed('p3').replace(':40000', ':40009')))).toBe('rst')
  })
})
