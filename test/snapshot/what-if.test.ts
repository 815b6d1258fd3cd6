import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { NetctlError } from '../../src/error.ts'
import { ParseError } from '../../src/kernel/source.ts'
import type { Changed } from '../../src/snapshot/types.ts'
import { type Supposed, suppose } from '../../src/snapshot/what-if/apply.ts'
import { traceFlow } from '../../src/trace/trace.ts'
import type { Flow } from '../../src/trace/types.ts'
import { differs, traceBoth } from '../../src/trace/what-if.ts'
import { outcomeText } from '../support/outcome-text.ts'
import { type Made, make } from '../support/snapshot-builder.ts'

const rules = `
  filter -A FORWARD -p tcp -m tcp --dport 81 -j ACCEPT
  filter -A FORWARD -p tcp -m tcp --dport 80 -j DROP
  filter -A FORWARD -p tcp -m tcp --dport 80 -j REJECT --reject-with tcp-reset`
const base: Made = { rules: { n1: rules }, files: { 'nodes/n1/nft.txt': nft() } }
const web: Flow = { from: { kind: 'pod', name: 't/p1' }, proto: 'tcp', dst: '10.244.2.2', port: 80 }

/** a table of nft's own beside the one of iptables */
function nft(): string {
  return `table ip filter {
	chain FORWARD {
		type filter hook forward priority filter; policy accept;
	}
}
table inet own {
	chain late { # handle 1
		type filter hook forward priority 10; policy accept;
		tcp dport 7000 drop # handle 7
		tcp dport 7001 drop # handle 8
	}
}
`
}

const so = (said: Partial<Supposed>, m: Made = base): Changed =>
  suppose(make(m), { replace: [], withoutRule: [], sysctl: [], nodeDown: [], ...said })
const told = (changed: Changed, flow: Flow = web): string =>
  traceFlow(changed.snapshot, flow, { brief: true })
    .outcomes.map((o) => outcomeText(o, flow.proto))
    .join(' | ')
const refused = (said: Partial<Supposed>, m?: Made): NetctlError => {
  try {
    so(said, m)
  } catch (error) {
    if (error instanceof NetctlError) return error
    throw error
  }
  throw new Error('not refused')
}

describe('--without-rule', () => {
  test('numbers are those of the dump, however many go', () => {
    expect(told(so({}))).toBe('dropped')
    expect(told(so({ withoutRule: ['n1:iptables:filter:FORWARD:2'] }))).toBe('rst')
    expect(
      told(so({ withoutRule: ['n1:iptables:filter:FORWARD:2', 'n1:iptables:filter:FORWARD:3', 'n1:iptables:filter:FORWARD:2'] })),
    ).toBe('p2 10.244.2.2:80 < 10.244.1.2')
    expect(told(so({ withoutRule: ['n1:iptables:filter:FORWARD:1'] }))).toBe('dropped')
  })

  test('the change shows the rule', () => {
    const { changes, snapshot } = so({ withoutRule: ['n1:iptables:filter:FORWARD:2'] })
    expect(changes).toMatchObject([
      { kind: 'without-rule', node: 'n1', what: 'without filter -A FORWARD -p tcp -m tcp --dport 80 -j DROP' },
    ])
    const { file, line, text } = changes[0]?.evidence ?? { file: '', line: 0, text: '' }
    expect(text).toBe(snapshot.line(file, line))
  })

  test('the other family, and the other backend by its name', () => {
    const six = make({ rules: { n1: rules } }, 6)
    const changed = suppose(six, { replace: [], sysctl: [], nodeDown: [], withoutRule: ['n1:ip6tables:filter:FORWARD:2'] })
    expect(told(changed, { ...web, dst: 'fd44:2::2' })).toBe('rst')
    const both: Made = { ...base, legacy: { n1: 'filter -A FORWARD -p tcp -m tcp --dport 7000 -j DROP' } }
    const open = { ...web, port: 7000 }
    const withoutNft = 'n1:nft:inet:own:late:1'
    expect(told(so({ withoutRule: [withoutNft] }, both), open)).toBe('dropped')
    expect(told(so({ withoutRule: [withoutNft, 'n1:iptables-legacy:filter:FORWARD:1'] }, both), open)).toBe(
      'p2 10.244.2.2:7000 < 10.244.1.2',
    )
  })

  test('nft by number or by handle', () => {
    expect(told(so({}), { ...web, port: 7001 })).toBe('dropped')
    for (const rule of ['n1:nft:inet:own:late:2', 'n1:nft:inet:own:late:#8'])
      expect(told(so({ withoutRule: [rule] }), { ...web, port: 7001 })).toBe('p2 10.244.2.2:7001 < 10.244.1.2')
  })

  test('a rule that is not there: those that are', () => {
    const { exitCode, have, message } = refused({ withoutRule: ['n1:iptables:filter:FORWARD:4'] })
    expect([exitCode, have]).toEqual([
      2,
      [
        '1  -A FORWARD -p tcp -m tcp --dport 81 -j ACCEPT',
        '2  -A FORWARD -p tcp -m tcp --dport 80 -j DROP',
        '3  -A FORWARD -p tcp -m tcp --dport 80 -j REJECT --reject-with tcp-reset',
      ],
    ])
    expect(message).toContain('nodes/n1/iptables-save.txt has no such rule')
    expect(refused({ withoutRule: ['n1:nft:inet:own:late:#9'] }).have?.[0]).toBe('1 or #7  tcp dport 7000 drop # handle 7')
  })

  test.each([
    ['n9:iptables:filter:FORWARD:1', /n9/, /n1, n2/],
    ['n1:iptables:nat:POSTROUTING:1', /no table nat/, /filter/],
    ['n1:iptables:filter:FORWRD:1', /no chain FORWRD/, /FORWARD/],
    ['n1:iptables-legacy:filter:FORWARD:1', /no dump of iptables-legacy/, /iptables/],
    ['n1:nft:ip:filter:FORWARD:1', /a table of iptables/, /iptables:filter/],
    ['n1:nft:inet:owl:late:1', /no table inet owl/, /inet own/],
    ['n1:nft:inet:own:__proto__:1', /no chain __proto__/, /late/],
    ['n1:iptables:filter:FORWARD', /not NODE:/, /iptables:filter:FORWARD:3/],
    ['n1:ebtables:filter:FORWARD:1', /not NODE:/, /iptables/],
    ['*:iptables:filter:FORWARD:1', /one node/, /n2:/],
    ['', /not NODE:/, /n2:/],
  ])('%s', (rule, message, advice) => {
    const error = refused({ withoutRule: [rule] })
    expect(error.message).toMatch(message)
    expect(error.try).toMatch(advice)
  })
})

describe('--sysctl', () => {
  test('a supposed setting stands on no line, and says that it is supposed', () => {
    const today = make({})
    const changed = so({ sysctl: ['net.ipv4.ip_forward=0@n2'] }, {})
    expect(changed.changes).toMatchObject([
      {
        kind: 'sysctl',
        node: 'n2',
        what: 'net.ipv4.ip_forward = 0',
        was: '1',
        evidence: { file: 'nodes/n2/sysctl.txt', text: 'net.ipv4.ip_forward = 1' },
      },
    ])
    const { trace } = traceBoth(today, changed, web)
    const { cause } = trace.paths[0] ?? {}
    expect(cause).toEqual({ node: 'n2', kind: 'sysctl', entry: 'net.ipv4.ip_forward = 0 (what if): n2 forwards nothing' })
    expect(trace.paths[0]?.hops.at(-1)).toMatchObject({ node: 'n2', action: 'net.ipv4.conf.eth0.forwarding = 0 (what if)' })
    expect(trace.paths[0]?.hops.at(-1)?.evidence).toBeUndefined()
    expect(trace.whatIf?.today.outcomes).toMatchObject([{ verdict: 'delivered', endpoint: 'pod/t/p2' }])
    expect(trace.whatIf?.today.outcomes[0]).not.toHaveProperty('paths')
    expect(differs(trace)).toBe(true)
  })

  test('every node, other hosts, either spelling, a device with a dot', () => {
    expect(so({ sysctl: ['net.ipv4.ip_forward = 0 @*'] }, {}).changes.map((c) => c.node)).toEqual(['n1', 'n2'])
    const other = so({ sysctl: ['net/ipv4/conf/eth0/rp_filter=1@pod/t/p1', 'net.ipv4.conf.lo.forwarding=1@external/ext'] }, {})
    expect(other.changes.map((c) => [c.node, c.what])).toEqual([
      ['pod/t/p1', 'net.ipv4.conf.eth0.rp_filter = 1'],
      ['external/ext', 'net.ipv4.conf.lo.forwarding = 1'],
    ])
  })

  test('without sysctl.txt it is all that is known', () => {
    const m: Made = { files: { 'nodes/n2/sysctl.txt': false } }
    expect(so({ sysctl: ['net.ipv4.ip_forward=0@n2'] }, m).changes[0]).toMatchObject({ was: 'not recorded' })
  })

  test('nothing changes where it is so already', () => {
    const { trace } = traceBoth(make({}), so({ sysctl: ['net.ipv4.ip_forward=1@n2'] }, {}), web)
    expect(differs(trace)).toBe(false)
  })

  test.each([
    ['net.ipv4.ip_forward=0', /not KEY=NUMBER@HOST/, /@n2/],
    ['net.ipv4.ip_forward=on@n2', /not KEY=NUMBER@HOST/, /@n2/],
    ['net.ipv4.ip_forward=0@n9', /no dumps of n9/, /n1, n2, external\/ext/],
    ['net.ipv4.ip_forwrd=0@n2', /what net\.ipv4\.ip_forwrd changes is not followed/, /net\.ipv4\.ip_forward/],
    ['net.core.somaxconn=1@n2', /what net\.core\.somaxconn changes is not followed/, /ip_forward/],
    ['net.ipv4.conf.eth7.rp_filter=1@n2', /no device eth7/, /eth0/],
    ['net.ipv4.conf.default.rp_filter=1@n2', /conf\.default/, /all/],
    ['net.ipv4.vs.conntrack=1@n2', /no dump of IPVS/, /./],
    ['__proto__=1@n2', /what __proto__ changes is not followed/, /./],
  ])('%s', (said, message, advice) => {
    const error = refused({ sysctl: [said] }, {})
    expect(error.message).toMatch(message)
    expect([error.try, error.exitCode]).toEqual([expect.stringMatching(advice), 2])
  })
})

describe('--node-down', () => {
  test('nothing answers for it; the answer says what stays', () => {
    const changed = so({ nodeDown: ['n2'] }, {})
    const trace = traceFlow(changed.snapshot, web)
    expect(trace.outcomes).toMatchObject([{ verdict: 'unreachable', error: 'icmp 3/1 from 172.18.0.11' }])
    expect(trace.paths[0]?.cause).toEqual({ node: 'n2', kind: 'link', entry: 'down (what if)' })
    expect(trace.assumptions?.join()).toContain('n2 is supposed to be down, and the others to have noticed in their neighbour tables only')
  })

  test('a pod on it sends nothing, and nobody else is touched', () => {
    const changed = so({ nodeDown: ['node/n1'] }, {})
    expect(told(changed)).toBe('dropped')
    expect(told(changed, { ...web, from: { kind: 'external', name: 'ext' } })).toBe('p2 10.244.2.2:80 < 172.18.0.100')
  })

  test('two of them; and none that is not there', () => {
    const changed = so({ nodeDown: ['n1', 'n2'] }, {})
    expect(changed.changes.map((c) => c.what)).toEqual(['n1 is down', 'n2 is down'])
    expect(told(changed, { ...web, from: { kind: 'external', name: 'ext' } })).toBe('icmp 3/1 172.18.0.100')
    expect(refused({ nodeDown: ['n3'] }, {})).toMatchObject({ exitCode: 2, try: expect.stringContaining('n1') })
  })
})

describe('--replace', () => {
  const file = (name: string, text: string | Buffer, path = 'new.txt') => ({ replace: [{ name, path, bytes: Buffer.from(text) }] })
  const save =
    '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\nCOMMIT\n'

  test('the new file is what the node has', () => {
    const changed = so(file('nodes/n1/iptables-save.txt', save))
    expect(told(changed)).toBe('rst')
    expect(changed.changes).toEqual([{ kind: 'replace', node: 'n1', what: 'nodes/n1/iptables-save.txt is new.txt' }])
    const { evidence } = traceFlow(changed.snapshot, web).paths[0]?.cause ?? {}
    expect(evidence).toMatchObject({
      file: 'nodes/n1/iptables-save.txt',
      line: 5,
      text: '-A FORWARD -p tcp -j REJECT --reject-with tcp-reset',
    })
  })

  test('gzipped, objects of the cluster, and snapshot.json', () => {
    expect(told(so(file('nodes/n1/iptables-save.txt', gzipSync(save), 'new.txt.gz')))).toBe('rst')
    const nodes = so(file('cluster/nodes.json', '{"kind": "NodeList", "items": []}'))
    expect([nodes.snapshot.cluster.nodes, make(base).cluster.nodes.length]).toEqual([[], 2])
    expect(
      so(file('snapshot.json', '{"schemaVersion": 1, "assume": {"unknownDestination": "dropped"}}')).snapshot.header.assume
        .unknownDestination,
    ).toBe('dropped')
  })

  test('with other changes on the same node', () => {
    const changed = so({
      ...file('nodes/n1/iptables-save.txt', save),
      withoutRule: ['n1:iptables:filter:FORWARD:1'],
      sysctl: ['net.ipv4.ip_forward=0@n1'],
    })
    expect(changed.changes.map((c) => c.kind)).toEqual(['replace', 'without-rule', 'sysctl'])
    expect(told(changed)).toBe('icmp 3/1 10.244.1.2')
  })

  test('damage is told with the new file’s name and line', () => {
    for (const [name, text, line] of [
      ['nodes/n1/iptables-save.txt', save.replace('-A FORWARD', '-A NOWHERE'), 5],
      ['cluster/pods.json', '{"kind": "PodList", "items": [', 1],
    ] as const) {
      let error: unknown
      try {
        so(file(name, text, 'patched'))
      } catch (e) {
        error = e
      }
      expect(error).toBeInstanceOf(ParseError)
      expect(error).toMatchObject({ file: 'patched', line })
    }
  })

  test('a file that is not there: those that are', () => {
    expect(refused(file('nodes/n1/iptables-safe.txt', save))).toMatchObject({
      exitCode: 2,
      try: expect.stringContaining('nodes/n1/iptables-save.txt'),
    })
  })
})
