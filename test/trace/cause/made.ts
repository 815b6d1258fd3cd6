/** A small cluster made up as dumps: two nodes, a router that knows no pod network, an outside host, a pod on each node, one Service. */
import { loadSnapshot } from '../../../src/snapshot/load.ts'
import type { Snapshot } from '../../../src/snapshot/types.ts'
import { memoryFiles } from '../../../src/system/files-memory.ts'
import { interfaceOfPod } from '../../../src/trace/attribution/interface-names.ts'
import { traceFlow } from '../../../src/trace/trace.ts'
import type { Cause, Flow } from '../../../src/trace/types.ts'

export interface MadeLink {
  readonly name: string
  readonly address?: string
  readonly kind?: string
  readonly down?: true
  readonly local?: string
  /** index of the veth's other end */
  readonly peer?: number
}

export interface MadeHost {
  links: MadeLink[]
  /** as `ip route` prints them */
  routes: string[]
  sysctls: Record<string, string>
  /** rules of the nat and filter tables; chains are declared as they are met */
  nat: string[]
  filter: string[]
  /** `:FORWARD DROP` and such */
  policies: Record<string, string>
}

export interface Made {
  readonly n1: MadeHost
  readonly n2: MadeHost
  readonly router: MadeHost
  readonly ext: MadeHost
  readonly objects: Record<string, unknown[]>
  readonly assume: Record<string, unknown>
  /** further files, or in place of those made */
  readonly files: Record<string, string>
}

const node = (number: number, other: number): MadeHost => ({
  links: [{ name: 'eth0', address: `172.18.0.1${number}/24` }, { name: interfaceOfPod({ namespace: 'shop', name: `p${number}` }, none) }],
  routes: [
    'default via 172.18.0.1 dev eth0',
    '172.18.0.0/24 dev eth0 scope link',
    `10.244.${other}.0/26 via 172.18.0.1${other} dev eth0 proto bird`,
    `10.244.${number}.2 dev ${interfaceOfPod({ namespace: 'shop', name: `p${number}` }, none)} scope link`,
    `blackhole 10.244.${number}.0/26 proto bird`,
  ],
  sysctls: { 'net.ipv4.ip_forward': '1', rp_filter: '0', forwarding: '1', proxy_arp: '1' },
  nat: ['-A PREROUTING -j KUBE-SERVICES', '-A OUTPUT -j KUBE-SERVICES', ...serviceRules()],
  filter: [],
  policies: {},
})

const none = { workloads: [], pods: [] } as never

/** kube-proxy's rules for service shop/web with one endpoint, and its node port */
export const serviceRules = (endpoint = '10.244.2.2'): string[] => [
  '-A KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA',
  '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS',
  '-A KUBE-NODEPORTS -p tcp -m comment --comment "shop/web:http" -m tcp --dport 30080 -j KUBE-SVC-AAAAAAAAAAAAAAAA',
  '-A KUBE-SVC-AAAAAAAAAAAAAAAA -m comment --comment "shop/web:http" -j KUBE-SEP-BBBBBBBBBBBBBBBB',
  `-A KUBE-SEP-BBBBBBBBBBBBBBBB -p tcp -m comment --comment "shop/web:http" -m tcp -j DNAT --to-destination ${endpoint}:8080`,
]

const meta = (name: string, more: object = {}): object => ({ metadata: { namespace: 'shop', name, labels: { app: name }, ...more } })

export const pod = (name: string, onNode: string, ip: string, ready = true): object => ({
  ...meta(name),
  spec: { nodeName: onNode, containers: [{ name: 'c', ports: [{ containerPort: 8080, protocol: 'TCP' }] }] },
  status: { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
})

export const slice = (endpoints: readonly { readonly ip: string; readonly node: string; readonly ready?: boolean }[]): object => ({
  ...meta('web-x', { labels: { 'kubernetes.io/service-name': 'web' } }),
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints: endpoints.map((e) => ({
    addresses: [e.ip],
    nodeName: e.node,
    conditions: { ready: e.ready ?? true, serving: e.ready ?? true, terminating: false },
  })),
})

export const block = (cidr: string, onNode: string, given: Readonly<Record<number, string>> = {}): object => ({
  metadata: { name: cidr.replaceAll(/[./]/g, '-') },
  spec: {
    cidr,
    affinity: `host:${onNode}`,
    allocations: Array.from({ length: 64 }, (_, i) => (given[i] === undefined ? null : Object.keys(given).indexOf(`${i}`))),
    attributes: Object.values(given).map((p) => ({
      handle_id: `k8s-pod-network.${p}`,
      secondary: { namespace: p.split('/')[0], pod: p.split('/')[1] },
    })),
  },
})

/** The cluster as it should be; `change` breaks it. */
export function made(change: (m: Made) => void = () => {}): Snapshot {
  const m: Made = {
    n1: node(1, 2),
    n2: node(2, 1),
    router: {
      ...empty(),
      links: [
        { name: 'eth0', address: '172.18.0.1/24' },
        { name: 'out', address: '198.51.100.1/24' },
      ],
      routes: ['172.18.0.0/24 dev eth0 scope link', '198.51.100.0/24 dev out scope link'],
    },
    ext: {
      ...empty(),
      links: [{ name: 'eth0', address: '198.51.100.10/24' }],
      routes: ['default via 198.51.100.1 dev eth0', '198.51.100.0/24 dev eth0 scope link'],
    },
    objects: {
      pods: [pod('p1', 'n1', '10.244.1.2'), pod('p2', 'n2', '10.244.2.2')],
      nodes: [1, 2].map((n) => ({
        metadata: { name: `n${n}` },
        status: { addresses: [{ type: 'InternalIP', address: `172.18.0.1${n}` }] },
      })),
      services: [
        {
          ...meta('web'),
          spec: {
            type: 'NodePort',
            clusterIP: '10.96.0.20',
            clusterIPs: ['10.96.0.20'],
            selector: { app: 'p2' },
            ports: [{ name: 'http', port: 80, targetPort: 8080, nodePort: 30080, protocol: 'TCP' }],
          },
        },
      ],
      endpointslices: [slice([{ ip: '10.244.2.2', node: 'n2' }])],
      'ipamblocks.crd.projectcalico.org': [block('10.244.1.0/26', 'n1', { 2: 'shop/p1' }), block('10.244.2.0/26', 'n2', { 2: 'shop/p2' })],
      'ippools.crd.projectcalico.org': [
        { metadata: { name: 'pool' }, spec: { cidr: '10.244.0.0/16', vxlanMode: 'Never', ipipMode: 'Never', natOutgoing: true } },
      ],
    },
    assume: { listeners: { 'pod/*': 'containerPorts', 'node/*': ['tcp/22'], 'external/ext': ['tcp/80'] }, forwarding: ['external/router'] },
    files: {},
  }
  change(m)
  const files: Record<string, string> = { 'snapshot.json': JSON.stringify({ schemaVersion: 1, assume: m.assume }) }
  for (const [plural, items] of Object.entries(m.objects))
    files[`cluster/${plural}.json`] = JSON.stringify({ kind: 'List', items }, null, 1)
  for (const name of ['n1', 'n2'] as const) Object.assign(files, hostFiles(`nodes/${name}`, m[name], true))
  for (const name of ['router', 'ext'] as const) Object.assign(files, hostFiles(`external/${name}`, m[name], false))
  return loadSnapshot(memoryFiles('made', { ...files, ...m.files }))
}

export const empty = (): MadeHost => ({ links: [], routes: [], sysctls: {}, nat: [], filter: [], policies: {} })

export function hostFiles(dir: string, h: MadeHost, rules: boolean): Record<string, string> {
  const links = [{ name: 'lo', address: '127.0.0.1/8', kind: 'loopback' } as MadeLink, ...h.links]
  const files: Record<string, string> = {
    [`${dir}/ip-link.json`]: JSON.stringify(links.map(linkJson)),
    [`${dir}/ip-addr.json`]: JSON.stringify(links.map((l, i) => ({ ...linkJson(l, i), addr_info: addresses(l) }))),
    [`${dir}/ip-route.json`]: JSON.stringify(h.routes.map(routeJson)),
    [`${dir}/ip-neigh.json`]: '[]',
    [`${dir}/bridge-fdb.json`]: '[]',
  }
  if (rules) {
    files[`${dir}/sysctl.txt`] = sysctlText(h)
    files[`${dir}/iptables-save.txt`] = tableText('nat', h.nat, h.policies) + tableText('filter', h.filter, h.policies)
    files[`${dir}/ipset-save.txt`] = ''
  }
  return files
}

const linkJson = (l: MadeLink, i: number): object => ({
  ifindex: i + 1,
  ifname: l.name,
  flags: [...(l.kind === 'loopback' ? ['LOOPBACK'] : ['BROADCAST']), ...(l.down ? [] : ['UP', 'LOWER_UP'])],
  mtu: 1500,
  ...(l.peer !== undefined && { link_index: l.peer, linkinfo: { info_kind: 'veth' } }),
  operstate: l.down ? 'DOWN' : 'UP',
  link_type: l.kind === 'loopback' ? 'loopback' : 'ether',
  address: l.kind === 'loopback' ? '00:00:00:00:00:00' : `02:00:00:00:00:0${i}`,
  ...(l.kind === 'vxlan' && { linkinfo: { info_kind: 'vxlan', info_data: { id: 4096, port: 4789, local: l.local, learning: false } } }),
})

const addresses = (l: MadeLink): object[] =>
  l.address === undefined
    ? []
    : [
        {
          family: 'inet',
          local: l.address.split('/')[0],
          prefixlen: Number(l.address.split('/')[1]),
          scope: l.kind === 'loopback' ? 'host' : 'global',
        },
      ]

function routeJson(text: string): object {
  const words = text.split(' ')
  const type = words[0] === 'blackhole' || words[0] === 'local' ? words.shift() : undefined
  const out: Record<string, unknown> = { ...(type && { type }), dst: words.shift(), flags: [] }
  for (let i = 0; i < words.length; i += 2)
    out[{ via: 'gateway', proto: 'protocol' }[words[i] as string] ?? (words[i] as string)] = words[i + 1]
  return out
}

/** plain names are those of every device */
function sysctlText(h: MadeHost): string {
  const devices = ['all', 'default', ...['lo', ...h.links.map((l) => l.name)].map((n) => n.replaceAll('.', '/'))]
  const lines = Object.entries(h.sysctls).flatMap(([k, v]) =>
    k.includes('.') ? [`${k} = ${v}`] : devices.map((d) => `net.ipv4.conf.${d}.${k} = ${v}`),
  )
  const own = new Map(lines.map((l) => [l.split(' = ')[0] as string, l]))
  for (const d of devices)
    for (const k of ['rp_filter', 'accept_local', 'src_valid_mark', 'route_localnet', 'proxy_arp', 'send_redirects']) {
      const key = `net.ipv4.conf.${d}.${k}`
      if (!own.has(key)) own.set(key, `${key} = 0`)
    }
  return `${[...own.values()].join('\n')}\n`
}

const builtIn: Readonly<Record<string, readonly string[]>> = {
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
}

function tableText(name: string, rules: readonly string[], policies: Readonly<Record<string, string>>): string {
  const base = builtIn[name] as readonly string[]
  const named = rules.flatMap((r) => [r.split(' ')[1] as string, ...(/ -[jg] ((?:KUBE|cali|DOCKER|ADMIN)\S*)/.exec(r)?.slice(1) ?? [])])
  const user = [...new Set(named)].filter((c) => !base.includes(c))
  const chains = [...base.map((c) => `:${c} ${(name === 'filter' && policies[c]) || 'ACCEPT'} [0:0]`), ...user.map((c) => `:${c} - [0:0]`)]
  return [`*${name}`, ...chains, ...rules, 'COMMIT', ''].join('\n')
}

export const p1: Flow['from'] = { kind: 'pod', name: 'shop/p1' }

/** Causes of one flow, each once. */
export function causes(snapshot: Snapshot, flow: Omit<Flow, 'proto'> & Partial<Pick<Flow, 'proto'>>): readonly (Cause | string)[] {
  const trace = traceFlow(snapshot, { proto: 'tcp', ...flow })
  const out = new Map<string, Cause | string>()
  for (const p of trace.paths)
    if (p.verdict !== 'delivered') out.set(JSON.stringify(p.cause), p.cause ?? `${p.verdict}: ${trace.undecided?.join()}`)
  for (const cause of out.values()) {
    if (
      typeof cause === 'object' &&
      cause.evidence &&
      !cause.evidence.file.endsWith('nft.json') &&
      cause.evidence.text !== snapshot.line(cause.evidence.file, cause.evidence.line)
    )
      throw new Error('evidence is not its line')
  }
  return [...out.values()]
}
