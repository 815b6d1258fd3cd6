/** Nodes whose dataplane is BPF programs, made from the example: what is said of flows that meet one, and that leftovers change nothing. */
import { describe, expect, test } from 'vitest'
import { snapshotText } from '../../src/report/snapshot.ts'
import { loadSnapshot } from '../../src/snapshot/load.ts'
import { describeSnapshot } from '../../src/snapshot/show.ts'
import type { Snapshot } from '../../src/snapshot/types.ts'
import { traceFlow } from '../../src/trace/trace.ts'
import type { Flow, Trace } from '../../src/trace/types.ts'
import { example, filesOf, withFiles } from '../snapshot/damage.ts'

const files = filesOf(example)
const text = (name: string): string => (files.get(name) as Buffer).toString('utf8')

/** A device as `ip -d -j link` and `ip -j addr` print it. */
const device = (ifindex: number, ifname: string, up = true) => ({
  ifindex,
  ifname,
  flags: ['BROADCAST', 'NOARP', ...(up ? ['UP', 'LOWER_UP'] : [])],
  mtu: 1500,
  operstate: up ? 'UP' : 'DOWN',
  linkmode: 'DEFAULT',
  link_type: 'ether',
  address: '02:00:00:00:00:01',
  linkinfo: { info_kind: 'veth' },
})

type Device = Record<string, unknown>

/** The dumps of a node's devices with `change` made in both. */
function devices(node: string, change: (list: Device[]) => Device[]): Record<string, string> {
  const edit = (file: string) => {
    const list = change(JSON.parse(text(file)) as Device[])
    return JSON.stringify(file.endsWith('ip-addr.json') ? list.map((d) => ({ addr_info: [], ...d })) : list)
  }
  return Object.fromEntries(['ip-addr.json', 'ip-link.json'].map((f) => [`nodes/${node}/${f}`, edit(`nodes/${node}/${f}`)]))
}

const adding = (node: string, ...more: Device[]) => devices(node, (list) => [...list, ...more])
/** The nodes whose dataplane is BPF programs. */
const programmed = ({ cluster, hosts, ebpf }: Snapshot): readonly string[] =>
  [...new Set([...cluster.nodes.map((n) => `node/${n.name}`), ...hosts.keys()])].flatMap((id) => {
    const found = ebpf(id)
    return found ? [`${id} ${found.name}: ${found.shownBy}`] : []
  })
const made = (changes: Record<string, string>): Snapshot => loadSnapshot(withFiles(files, changes))
const api = '10.96.66.150'
const fromPod: Flow = { from: { kind: 'pod', name: 'shop/web-1' }, proto: 'tcp', dst: api, port: 80 }
const trace = (snapshot: Snapshot, flow: Flow = fromPod): Trace => traceFlow(snapshot, flow)
const verdicts = (t: Trace) => t.outcomes.map((o) => `${o.probability} ${o.verdict} ${o.node ?? ''}`)
const reasons = (t: Trace) => t.outcomes.map((o) => o.reason ?? '')

/** Without the chains by which Felix judges pods: what its eBPF mode leaves of them. */
const withoutDispatch = (node: string) => {
  const file = `nodes/${node}/iptables-save.txt`
  return { [file]: text(file).replace(/^.*cali-(?:from|to)-wl-dispatch.*\n/gm, '') }
}
const felixFile = 'cluster/felixconfigurations.crd.projectcalico.org.json'
const felix = (name: string, spec: object) => {
  const list = JSON.parse(text(felixFile)) as { items: { metadata: { name: string }; spec: object }[] }
  const others = list.items.filter((i) => i.metadata.name !== name)
  const item = { apiVersion: 'crd.projectcalico.org/v1', kind: 'FelixConfiguration', metadata: { name }, spec }
  return { [felixFile]: JSON.stringify({ ...list, items: [...others, item] }, undefined, 1) }
}

test('the example is walked to the end', () => {
  expect(verdicts(trace(made({})))).toEqual(['0.5 delivered n2', '0.5 delivered n3'].map((v) => expect.stringContaining(v.slice(0, 13))))
})

describe('a node with an eBPF dataplane ends the branch that comes to it', () => {
  test.each([
    ['Cilium', [device(100, 'cilium_net'), device(101, 'cilium_host')], 'device cilium_net'],
    ['Cilium', [device(100, 'lxc0123456789ab')], 'device lxc0123456789ab'],
    ['Calico eBPF', [device(100, 'bpfout.cali'), device(101, 'bpfin.cali')], 'device bpfout.cali'],
  ])('%s by %j', (name, more, shown) => {
    const snapshot = made(adding('n2', ...more))
    const t = trace(snapshot)
    // one backend is on n3, by which no BPF program stands
    expect(verdicts(t).sort()).toEqual(['0.5 delivered ', '0.5 undecided n2'])
    const reason = reasons(t).find((r) => r !== '')
    expect(reason).toContain(`n2 runs ${name} (${shown})`)
    expect(reason).toMatch(name === 'Cilium' ? /hubble observe/ : /calico-node -bpf/)
    expect(t.undecided?.join()).toContain(name)
    const { modes } = describeSnapshot(snapshot)
    expect(modes.dataplane.value).toBe(`iptables on n1, n3, ${name} on n2`)
    expect(snapshotText(describeSnapshot(snapshot), { colour: false, unicode: true, width: 100 })).toContain(name)
  })

  test('the node that the pod is on, the node itself, and a client outside', () => {
    const snapshot = made(adding('n1', device(101, 'cilium_host')))
    for (const flow of [
      fromPod,
      { from: { kind: 'node', name: 'n1' }, proto: 'tcp', dst: api, port: 80 },
      { from: { kind: 'external', name: 'ext' }, proto: 'tcp', dst: '172.18.0.11', port: 30080 },
    ] as const) {
      const t = trace(snapshot, flow)
      expect(verdicts(t)).toEqual(['1 undecided n1'])
      // that nothing was done is not said of what programs may have done
      const never = ['podNetwork', 'networkPolicies', 'overlayUnderlay', 'podIpManagement']
      for (const { aspect, calico, kubeProxy } of t.comparison) {
        if (!calico.acted) expect(calico.what).toMatch(/^not known: n1 runs Cilium \(device cilium_host\)/)
        if (!never.includes(aspect))
          expect(kubeProxy).toMatchObject({ acted: false, what: expect.stringMatching(/^not known: n1 runs Cilium/) })
        else expect(kubeProxy.what).toMatch(/^kube-proxy /)
      }
    }
  })

  test('the answer of a pod on another node passes it, too', () => {
    const t = trace(made(adding('n1', device(101, 'cilium_host'))), {
      from: { kind: 'pod', name: 'shop/api-1' },
      proto: 'tcp',
      dst: '172.18.0.11',
      port: 22,
    })
    expect(verdicts(t)).toEqual(['1 undecided n1'])
  })

  test('by configuration, where no rules judge pods', () => {
    const chosen = { ...felix('default', { bpfEnabled: true }), ...withoutDispatch('n2') }
    const snapshot = made(chosen)
    expect(programmed(snapshot)).toEqual(['node/n2 Calico eBPF: bpfEnabled of FelixConfiguration default'])
    // a node's own setting goes before the default, what the agent was started with before both
    const own = made({ ...felix('node.n2', { bpfEnabled: true }), ...withoutDispatch('n2') })
    expect(own.ebpf('node/n2')?.shownBy).toBe('bpfEnabled of FelixConfiguration node.n2')
    const env = (value: string) => ({
      'nodes/n2/versions.txt': `${text('nodes/n2/versions.txt')}felix env: {"FELIX_BPFENABLED": "${value}"}\n`,
    })
    expect(programmed(made({ ...chosen, ...env('false') }))).toEqual([])
    expect(made({ ...env('true'), ...withoutDispatch('n2') }).ebpf('node/n2')?.shownBy).toBe('FELIX_BPFENABLED in versions.txt')
  })
})

describe('a node without a dump', () => {
  const gone = Object.fromEntries(
    [...files.keys()].filter((f) => f.startsWith('nodes/n2/') || f === 'pods/shop_api-1/').map((f) => [f, undefined]),
  )
  const without = (changes: Record<string, string>) => loadSnapshot(withFiles(files, { ...gone, ...changes }))
  const agent = () => {
    const list = JSON.parse(text('cluster/pods.json')) as { items: Record<string, unknown>[] }
    const pod = {
      ...(list.items[0] as object),
      metadata: { namespace: 'kube-system', name: 'cilium-x', labels: { 'k8s-app': 'cilium' } },
      spec: { nodeName: 'n2', hostNetwork: true, containers: [] },
      status: { phase: 'Running' },
    }
    return { 'cluster/pods.json': JSON.stringify({ ...list, items: [...list.items, pod] }, undefined, 1) }
  }

  test('is taken to deliver', () => expect(trace(without({})).outcomes.map((o) => o.verdict)).toEqual(['delivered', 'delivered']))

  test('but not where an agent of Cilium runs, or Felix is told to use eBPF', () => {
    const cilium = trace(without(agent()))
    expect(verdicts(cilium).sort()).toEqual(['0.5 delivered ', '0.5 undecided n2'])
    expect(reasons(cilium).join()).toContain('n2 runs Cilium (pod kube-system/cilium-x)')
    const calico = trace(without(felix('node.n2', { bpfEnabled: true })))
    expect(reasons(calico).join()).toContain('n2 runs Calico eBPF (bpfEnabled of FelixConfiguration node.n2)')
  })

  test('an agent says nothing against what was dumped', () => expect(programmed(made(agent()))).toEqual([]))
})

describe('leftovers are no dataplane', () => {
  test.each([
    ['a setting that Felix has not taken up: its rules still judge pods', felix('default', { bpfEnabled: true })],
    ['devices that are down', adding('n2', device(100, 'cilium_host', false), device(101, 'bpfin.cali', false))],
    ['names that only look alike', adding('n2', device(100, 'lxcbr0'), device(101, 'cilium'), device(102, 'bpf0'))],
    [
      'chains of Cilium without rules',
      { 'nodes/n2/iptables-save.txt': text('nodes/n2/iptables-save.txt').replace('*filter\n', '*filter\n:CILIUM_FORWARD - [0:0]\n') },
    ],
  ])('%s', (_, changes) => {
    const snapshot = made(changes)
    expect(programmed(snapshot)).toEqual([])
    expect(trace(snapshot).outcomes.map((o) => o.verdict)).toEqual(['delivered', 'delivered'])
  })
})

describe('programs on single devices', () => {
  // as ip of iproute2 6.1 printed it for a program attached with `ip link set dev v1 xdpgeneric pinned …`
  const xdp = {
    mode: 2,
    prog: { id: 97, name: 'xdp_pass', tag: '614b434cd8324ecc', jited: 1 },
    attached: [{ mode: 2, prog: { id: 97, name: 'xdp_pass', tag: '614b434cd8324ecc', jited: 1 } }],
  }
  const withXdp = (node: string, name: string) => devices(node, (list) => list.map((d) => (d.ifname === name ? { ...d, xdp } : d)))

  test('XDP sees what comes in by its device, nothing else', () => {
    const snapshot = made(withXdp('n2', 'eth0'))
    const t = trace(snapshot)
    expect(verdicts(t).sort()).toEqual(['0.5 delivered ', '0.5 undecided n2'])
    expect(reasons(t).join()).toContain('XDP program xdp_pass on eth0 of n2')
    const inside: Flow = { from: { kind: 'node', name: 'n2' }, proto: 'tcp', dst: '10.244.217.2', port: 8080 }
    expect(verdicts(trace(snapshot, inside))).toEqual(['1 delivered '])
  })

  test('mode 0 is no program', () => {
    const off = devices('n2', (list) => list.map((d) => (d.ifname === 'eth0' ? { ...d, xdp: { mode: 0 } } : d)))
    expect(trace(made(off)).outcomes.map((o) => o.verdict)).toEqual(['delivered', 'delivered'])
  })

  // as bpftool 7.1 printed it
  const net = (...tc: object[]) => JSON.stringify([{ xdp: [], tc, flow_dissector: [] }])
  const filter = (devname: string, way: string, name: string) => ({ devname, ifindex: 2, kind: `clsact/${way}`, name, id: 100 })

  test.each([
    ['ingress', 'tc ingress program watch on eth0 of n2'],
    ['egress', 'tc egress program watch on eth0 of n2'],
  ])('tc %s', (way, what) => {
    const t = trace(made({ 'nodes/n2/bpftool-net.json': net(filter('eth0', way, 'watch')) }))
    expect(verdicts(t).sort()).toEqual(['0.5 delivered ', '0.5 undecided n2'])
    expect(reasons(t).join()).toContain(what)
  })

  test('names of programs tell the dataplane, too', () => {
    expect(made({ 'nodes/n2/bpftool-net.json': net(filter('eth0', 'ingress', 'cil_from_netdev-eth0')) }).ebpf('node/n2')?.name).toBe(
      'Cilium',
    )
    expect(made({ 'nodes/n2/bpftool-net.json': net(filter('eth0', 'ingress', 'cali_tc_preambl:[100]')) }).ebpf('node/n2')?.name).toBe(
      'Calico eBPF',
    )
  })
})
