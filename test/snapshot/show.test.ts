import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { snapshotText } from '../../src/report/snapshot.ts'
import { loadSnapshot } from '../../src/snapshot/load.ts'
import { describeSnapshot } from '../../src/snapshot/show.ts'
import { openFolder } from '../../src/system/files-folder.ts'
import { memoryFiles } from '../../src/system/files-memory.ts'
import { captures } from '../support/captures.ts'
import { needs } from '../support/needs.ts'
import { example, filesOf, withFiles } from './damage.ts'

const describeCapture = (name: string) => describeSnapshot(loadSnapshot(openFolder(join(captures, name))))

describe.runIf(needs('captures'))('modes are read off the dumps', () => {
  test.each([
    ['vxlan-iptables', 'iptables', 'nft', ['VXLAN Always → VXLAN'], 'Felix', [4]],
    ['bgp-legacy', 'iptables', 'legacy', ['none → none'], 'BGP (BIRD)', [4]],
    [
      'crosssubnet-nft-dualstack',
      'nftables',
      'nft',
      ['VXLAN CrossSubnet → VXLAN and none', 'VXLAN CrossSubnet → VXLAN and none'],
      'Felix',
      [4, 6],
    ],
    ['nft-nft', 'nftables', 'nft', ['VXLAN Always → VXLAN'], 'Felix', [4]],
    ['ipip-ipvs', 'ipvs', 'nft', ['IPIP Always → IPIP'], 'BGP (BIRD)', [4]],
    ['ipip-crosssubnet-ipvs-dualstack', 'ipvs', 'nft', ['IPIP CrossSubnet → IPIP and none', 'VXLAN Always → VXLAN'], 'Felix', [4, 6]],
  ])('%s', (name, proxy, backend, pools, routing, families) => {
    const { modes } = describeCapture(name)
    expect(modes.cni.value).toBe('Calico')
    expect(modes.kubeProxy.value).toBe(proxy)
    expect(modes.iptablesBackend.value).toBe(backend)
    expect(modes.pools.map((p) => `${p.configured} → ${p.observed}`)).toEqual(pools)
    expect(modes.routing.value).toBe(routing)
    expect(modes.ipFamilies).toEqual(families)
  })

  test('a node without kube-proxy is named', () => {
    expect(describeCapture('broken-no-kube-proxy').modes.kubeProxy.shownBy).toContain('no rules of it on n3')
  })

  test('what IPVS needs is missed where kube-proxy uses it', () => {
    const missing = (name: string) =>
      describeCapture(name)
        .nodes.find((n) => n.name === 'n1')
        ?.missing.filter((f) => f.includes('ip_vs') || f.includes('ipvs'))
    expect(missing('ipvs-schedulers')).toEqual(['proc-ip_vs.txt', 'ipvsadm-conn.txt'])
    expect(missing('vxlan-iptables')).toEqual([])
  })

  // README of each: what Felix and kube-proxy were told
  test.each([
    ['vxlan-iptables', 'iptables', 'chain KUBE-SERVICES'],
    ['nft-nft', 'nftables', 'nft table kube-proxy'],
    ['crosssubnet-nft-dualstack', 'iptables', 'nft table kube-proxy'],
    ['ipip-ipvs', 'iptables', 'device kube-ipvs0, scheduler rr'],
    ['ipvs-schedulers', 'iptables', 'device kube-ipvs0, scheduler sh on n1, mh on n2, lc on n3'],
  ])('%s: policy by %s, Services by %s', (name, dataplane, proxy) => {
    const { modes } = describeCapture(name)
    expect(modes.dataplane.value).toBe(dataplane)
    expect(modes.kubeProxy.shownBy).toBe(proxy)
  })

  test('WireGuard', () => {
    expect(describeCapture('wireguard').modes.wireguard).toBe(true)
    expect(describeCapture('wireguard').modes.pools.map((p) => `${p.configured} → ${p.observed}`)).toEqual(['IPIP Always → WireGuard'])
    expect(describeCapture('vxlan-iptables').modes.wireguard).toBe(false)
  })

  test('rules, sets and virtual servers are counted in whichever table they are', () => {
    // nft.txt of the three nodes: lines of rules, `set` and `map`; iptables-save has no table there
    const { counts } = describeCapture('nft-nft')
    expect(counts.rules).toBeGreaterThan(1000)
    expect(counts.sets).toBeGreaterThan(60)
    expect(counts.virtualServers).toBe(0)
    const lines = (node: string) => readFileSync(join(captures, 'ipip-ipvs/nodes', node, 'ipvsadm-save.txt'), 'utf8').split('\n')
    const virtual = ['n1', 'n2', 'n3'].flatMap(lines).filter((l) => l.startsWith('-A '))
    expect(describeCapture('ipip-ipvs').counts.virtualServers).toBe(virtual.length)
  })

  test('a node without a folder is missing', () => {
    const description = describeCapture('scale-iptables-10k')
    expect(description.nodes.map((n) => [n.name, n.dumped])).toEqual([
      ['n1', true],
      ['n2', false],
    ])
    expect(description.missing.join()).toContain('node n2 has no folder')
    expect(description.counts.services).toBe(10_003)
  })
})

const files = filesOf(example)

test('what a node lacks is named', () => {
  const gone = Object.fromEntries(
    [...files.keys()].filter((f) => /^nodes\/n2\/(?:conntrack|sysctl)/.test(f) || f === 'cluster/services.json').map((f) => [f, undefined]),
  )
  const description = describeSnapshot(loadSnapshot(withFiles(files, gone)))
  expect(description.nodes.find((n) => n.name === 'n2')?.missing).toEqual(expect.arrayContaining(['conntrack.txt', 'sysctl.txt']))
  expect(description.missing).toContain('cluster/services.json')
})

test.each([40, 80, 120])('the text fits %i columns', (width) => {
  const text = snapshotText(describeSnapshot(loadSnapshot(openFolder(example))), { width, colour: false, unicode: true })
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width)
  for (const word of ['n1', '172.18.0.11', 'VXLAN Always', 'KUBE-SERVICES', 'missing']) expect(text.replace(/\s+/g, ' ')).toContain(word)
})

test('hostile words are shown, not obeyed', () => {
  const versions = 'iptables backend in use: nft\n6.1.0\n'
  const header = JSON.stringify({ schemaVersion: 1, source: 'x\u001b]0;owned\u0007', missing: ['\u202eevil'] })
  const text = snapshotText(
    describeSnapshot(loadSnapshot(withFiles(files, { 'snapshot.json': header, 'nodes/n1/versions.txt': versions }))),
    { colour: false, unicode: true },
  )
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
})

/** as the CNI plugin `bridge` makes them, and a container engine beside it */
test('pods behind a bridge: the network is told by the bridge that has their addresses', () => {
  const link = (ifindex: number, ifname: string, kind: string, address?: string) => ({
    ifindex,
    ifname,
    flags: ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'],
    mtu: 1500,
    linkinfo: { info_kind: kind },
    addr_info: address === undefined ? [] : [{ family: 'inet', local: address, prefixlen: 24, scope: 'global' }],
  })
  const pod = (name: string, podIP: string, hostNetwork: boolean) => ({
    metadata: { name, namespace: 'shop' },
    spec: { nodeName: 'n1', hostNetwork, containers: [] },
    status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }] },
  })
  const devices = [link(2, 'docker0', 'bridge', '172.17.0.1'), link(3, 'cni0', 'bridge', '10.244.1.1'), link(4, 'veth1', 'veth')]
  const shown = (pods: readonly object[]) =>
    describeSnapshot(
      loadSnapshot(
        memoryFiles('shop', {
          'snapshot.json': '{"schemaVersion": 1}',
          'cluster/pods.json': JSON.stringify({ apiVersion: 'v1', kind: 'PodList', items: pods }),
          'nodes/n1/ip-link.json': JSON.stringify(devices.map(({ addr_info: _, ...link }) => link)),
          'nodes/n1/ip-addr.json': JSON.stringify(devices),
        }),
      ),
    ).modes.cni
  expect(shown([pod('web', '10.244.1.7', false)])).toEqual({ value: 'bridge', shownBy: 'pods behind cni0' })
  expect(shown([pod('edge', '172.17.0.1', true)]).value).toBe('unknown')
})
