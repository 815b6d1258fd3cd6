/** Pods behind a node's bridge, where no kernel is asked: what is undecided, and what is to blame. The kernel's own word: test/kernel/walk-bridge.test.ts. */
import { describe, expect, test } from 'vitest'
import { traceFlow } from '../../../src/trace/trace.ts'
import type { Flow } from '../../../src/trace/types.ts'
import { link, type Made, make, walk } from '../../support/snapshot-builder.ts'

interface Wiring {
  /** `info_data` of the bridge */
  readonly data?: object
  /** its other members */
  readonly bridge?: object
  /** `info_slave_data` of p3's port */
  readonly port?: object
  readonly sysctl?: Readonly<Record<string, number>>
  readonly p1?: Pick<Made, 'files'>
}

const called = { 'net.bridge.bridge-nf-call-iptables': 1 }
const uncalled = { 'net.bridge.bridge-nf-call-iptables': 0 }

/** p1 and p3 behind cni0 of n1, as the CNI plugin `bridge` wires them. */
function wired({ data, bridge, port, sysctl = called }: Wiring, more: Made = {}): Made {
  const slave = (own: object = {}) => ({
    master: 'cni0',
    linkinfo: { info_kind: 'veth', info_slave_kind: 'bridge', info_slave_data: { state: 'forwarding', hairpin: false, ...own } },
  })
  const pod = (at: string) => ({
    eth0: {
      addr_info: [{ family: 'inet', local: at, prefixlen: 24, scope: 'global' }],
    },
  })
  const routes = '-default\n-169.254.1.1\n10.244.1.0/24 dev eth0\ndefault via 10.244.1.1 dev eth0'
  const conf = Object.fromEntries(
    ['forwarding=1', 'rp_filter=0', 'proxy_arp=0', 'accept_local=0', 'send_redirects=0', 'arp_ignore=0'].map((text) => {
      const [name, value] = text.split('=')
      return [`net.ipv4.conf.cni0.${name}`, Number(value)]
    }),
  )
  return {
    ...more,
    devices: { n1: { cali1: slave(), cali3: slave(port) }, p1: pod('10.244.1.2'), p3: pod('10.244.1.3') },
    links: {
      n1: [link(40, 'cni0', 'bridge', ['10.244.1.1/24'], { linkinfo: { info_kind: 'bridge', info_data: data ?? {} }, ...bridge })],
    },
    routes: { n1: '-10.244.1.2\n-10.244.1.3\n10.244.1.0/24 dev cni0', p1: routes, p3: routes },
    sysctl: { n1: { ...conf, ...sysctl } },
  }
}

const direct = 'p1 tcp $p3:80 = p3 $p3:80 < $p1'
const told = (m: Made) => {
  const { outcomes, assumptions } = traceFlow(make(m), { from: { kind: 'pod', name: 't/p1' }, proto: 'tcp', dst: '10.244.1.3', port: 80 })
  return { reason: outcomes[0]?.reason, verdict: outcomes[0]?.verdict, assumptions }
}

describe('frames from pod to pod', () => {
  test('stay on the bridge', () => {
    const { got, want } = walk(wired({}), `${direct}\np1 tcp $p2:80 = p2 $p2:80 < $p1\np1 tcp $pods1free:80 = icmp 3/1 $p1`)
    expect(got).toEqual(want)
  })

  test.each<[string, Wiring, RegExp]>([
    ['VLANs', { data: { vlan_filtering: 1 } }, /vlan_filtering of cni0 on n1 is not modelled/],
    ['locked ports', { port: { locked: true } }, /locked of cali3 on n1 is not modelled/],
    ['ports that do not learn', { port: { learning: false } }, /learning of cali3/],
    ['a promiscuous bridge', { bridge: { promiscuity: 1 } }, /cni0 of n1 is promiscuous/],
    ['Open vSwitch', { bridge: { linkinfo: { info_kind: 'openvswitch' } } }, /Open vSwitch/],
    ['others answer', { sysctl: { ...called, 'net.ipv4.conf.cni0.proxy_arp_pvlan': 1 } }, /proxy_arp_pvlan/],
  ])('%s: undecided', (_, wiring, reason) => {
    expect(told(wired(wiring))).toMatchObject({ verdict: 'undecided', reason: expect.stringMatching(reason) as string })
  })

  test('a promiscuous bridge whose host does not get to see what is for others is as any other', () => {
    expect(told(wired({ bridge: { promiscuity: 1 }, sysctl: uncalled })).verdict).toBe('delivered')
  })

  test('tables of family bridge: undecided where they could decide', () => {
    const table = (rule: string) => ({
      'nodes/n1/nft.txt': `table bridge filter {\n\tchain FORWARD {\n\t\ttype filter hook forward priority -200; policy accept;\n${rule}\t}\n}\n`,
    })
    expect(told(wired({}, { files: table('\t\tdrop\n') })).verdict).toBe('undecided')
    expect(told(wired({}, { files: table('') })).verdict).toBe('delivered')
  })

  test('without net.bridge.* the module is taken not to be loaded, and without sysctl.txt nothing is', () => {
    const { verdict, assumptions } = told(wired({ sysctl: {} }))
    expect([verdict, assumptions]).toEqual([
      'delivered',
      expect.arrayContaining([expect.stringContaining('br_netfilter is not loaded on n1')]),
    ])
    expect(told(wired({}, { files: { 'nodes/n1/sysctl.txt': false } })).reason).toContain('nodes/n1/sysctl.txt is missing')
  })

  test('a port that leads to nobody the snapshot has may lead to whoever has the address', () => {
    const m = wired({})
    const stranger = link(25, 'veth5', 'veth', [], { link_index: 10, master: 'cni0' })
    const flow: Flow = { from: { kind: 'pod', name: 't/p1' }, proto: 'tcp', dst: '10.244.1.99', port: 80 }
    const { outcomes } = traceFlow(make({ ...m, links: { n1: [...(m.links?.n1 ?? []), stranger] } }), flow)
    expect(outcomes[0]).toMatchObject({ verdict: 'undecided', reason: expect.stringContaining('veth5') as string })
  })
})

describe('an answer that goes past the tables', () => {
  const rules = { n1: 'nat -A PREROUTING -d 10.96.0.1 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.244.1.3:7000' }
  const flow: Flow = { from: { kind: 'pod', name: 't/p1' }, proto: 'tcp', dst: '10.96.0.1', port: 80 }

  test.each([
    [uncalled, 'net.bridge.bridge-nf-call-iptables = 0: ', 'nodes/n1/sysctl.txt'],
    [{}, 'br_netfilter is not loaded on n1: ', undefined],
  ])('is nobody’s: %o', (sysctl, why, file) => {
    const { outcomes, paths } = traceFlow(make(wired({ sysctl }, { rules })), flow)
    expect(outcomes.map((o) => o.verdict)).toEqual(['dropped'])
    expect(paths?.[0]?.cause).toMatchObject({
      node: 'n1',
      kind: 'sysctl',
      entry: `${why}the answer goes from pod to pod by cni0, past the rules of n1, and comes from 10.244.1.3, not 10.96.0.1`,
      ...(file && { evidence: { file } }),
    })
  })
})
