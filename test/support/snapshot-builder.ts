/**
 * Snapshots made up in memory, as texts of dumps: the hosts of netns-lab.ts, without a kernel. What a test changes it writes in the
 * words of the tools; everything else is two nodes that route to each other, and listeners on the ports of the lab.
 */
import { loadSnapshot } from '../../src/snapshot/load.ts'
import type { Snapshot } from '../../src/snapshot/types.ts'
import { memoryFiles } from '../../src/system/files-memory.ts'
import { traceFlow } from '../../src/trace/trace.ts'
import { flowOf, forFamily, parseFlows, restoreText } from './netns-case.ts'
import { folderOf, objects } from './netns-dump.ts'
import { addressOf, type HostName, hosts, pods, tcpPorts, udpPorts } from './netns-lab.ts'
import { outcomeText } from './outcome-text.ts'

type Per<T> = Partial<Record<HostName, T>>

export interface Made {
  /** as in netns-case.ts: `TABLE -A CHAIN …` a line */
  readonly rules?: Per<string>
  /** of the other backend */
  readonly legacy?: Per<string>
  /** `DEST [via GATEWAY] [dev DEVICE] [src ADDRESS] [table TABLE]`, or `TYPE DEST`; `-DEST` takes one away */
  readonly routes?: Per<string>
  /** entries of `ip -j rule` besides the default ones */
  readonly policyRouting?: Per<readonly object[]>
  readonly sysctl?: Per<Readonly<Record<string, string | number>>>
  readonly sets?: Per<string>
  /** what is other about the standard devices, by name */
  readonly devices?: Per<Readonly<Record<string, object>>>
  /** further devices, as `ip -d -j link` and `ip -j addr` print them (this builder's `link`) */
  readonly links?: Per<readonly object[]>
  /** hosts without a folder */
  readonly undumped?: readonly HostName[]
  /** whole files, by path in the snapshot; false takes one away */
  readonly files?: Readonly<Record<string, string | false>>
}

/** A device with its addresses: what `ip -d -j addr` would print. */
export const link = (n: number, ifname: string, kind: string, own: readonly string[] = [], more: object = {}): object => ({
  ifindex: n,
  ifname,
  flags: kind === 'loopback' ? ['LOOPBACK', 'UP', 'LOWER_UP'] : ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'],
  mtu: 1500,
  operstate: 'UP',
  linkmode: 'DEFAULT',
  link_type: kind === 'loopback' ? 'loopback' : 'ether',
  address: `02:00:00:00:00:${String(n).padStart(2, '0')}`,
  ...(kind !== 'loopback' && { linkinfo: { info_kind: kind } }),
  ...more,
  addr_info: own.map((a) => {
    const [local, length] = a.split('/')
    return {
      family: a.includes(':') ? 'inet6' : 'inet',
      local,
      prefixlen: Number(length),
      scope: local?.startsWith('127.') || local === '::1' ? 'host' : local?.startsWith('fe80') ? 'link' : 'global',
    }
  }),
})

function linksOf(h: HostName): object[] {
  const lo = link(1, 'lo', 'loopback', [
    '127.0.0.1/8',
    '::1/128',
    ...(h === 'ext' ? [`${addressOf('far', 4)}/32`, `${addressOf('far', 6)}/128`] : []),
  ])
  if (h in pods)
    return [
      lo,
      link(10, 'eth0', 'veth', [`${addressOf(h, 4)}/32`, `${addressOf(h, 6)}/128`, `fe80::${h}/64`.replace('p', 'a')], {
        link_index: 20 + Number(h.slice(1)),
      }),
    ]
  const uplinks = (['eth0', 'eth1'] as const).map((dev, i) => {
    const at = i === 0 ? h : `${h}b`
    return link(
      10 + i,
      dev,
      'veth',
      [`${addressOf(at, 4)}/24`, `${addressOf(at, 6)}/64`, `fe80::${10 + i}${h === 'ext' ? 9 : h.slice(1)}/64`],
      { link_index: 30 + i, link_netnsid: 0 },
    )
  })
  const own = Object.entries(pods)
    .filter(([, node]) => node === h)
    .map(([p]) => Number(p.slice(1)))
  return [lo, ...uplinks, ...own.map((n) => link(20 + n, `cali${n}`, 'veth', ['fe80::1/64'], { link_index: 10 }))]
}

function routesOf(h: HostName, v: 4 | 6): string[] {
  if (h in pods)
    return v === 4 ? ['169.254.1.1 dev eth0', 'default via 169.254.1.1 dev eth0'] : ['default via fe80::1 dev eth0', 'fe80::/64 dev eth0']
  const out = [`${addressOf('lan', v)} dev eth0 src ${addressOf(h, v)}`, `${addressOf('lanb', v)} dev eth1 src ${addressOf(`${h}b`, v)}`]
  const ports = [
    'eth0',
    'eth1',
    ...Object.keys(pods).flatMap((pod) => (pods[pod as keyof typeof pods] === h ? [`cali${pod.slice(1)}`] : [])),
  ]
  if (v === 6) out.push(...ports.map((dev) => `fe80::/64 dev ${dev}`))
  for (const [pod, node] of Object.entries(pods)) if (node === h) out.push(`${addressOf(pod, v)} dev cali${pod.slice(1)}`)
  if (h !== 'n1') out.push(`${addressOf('pods1', v)} via ${addressOf('n1', v)} dev eth0`)
  if (h !== 'n2') out.push(`${addressOf('pods2', v)} via ${addressOf('n2', v)} dev eth0`)
  out.push(h === 'ext' ? `${addressOf('svcs', v)} via ${addressOf('n1', v)} dev eth0` : `default via ${addressOf('ext', v)} dev eth0`)
  return out
}

/** A route of one line as `ip -j route` has it. `nexthop via A dev D weight W` may follow, any number of times. */
function routeJson(line: string, family: 4 | 6): object {
  const [head, ...hops] = line.split(' nexthop ')
  const words = (head as string).split(' ')
  const type = ['blackhole', 'unreachable', 'prohibit', 'throw', 'local'].includes(words[0] as string)
    ? (words.shift() as string)
    : undefined
  const pairs = (list: readonly string[]): Record<string, unknown> => {
    const out: Record<string, unknown> = { flags: [] }
    for (let i = 0; i < list.length; i += list[i] === 'onlink' ? 1 : 2) {
      const [key, value] = [list[i], list[i + 1]]
      if (key === 'via') out.gateway = value
      else if (key === 'src') out.prefsrc = value
      else if (key === 'weight' || key === 'metric') out[key] = Number(value)
      else if (key === 'onlink') out.flags = ['onlink']
      else out[key as string] = value
    }
    return out
  }
  const rest = pairs(words.slice(1))
  const scope = rest.gateway === undefined && hops.length === 0 && type === undefined && family === 4 ? { scope: 'link' } : {}
  // IPv6 routes that refuse have the loopback device
  return {
    ...(type && { type }),
    dst: words[0],
    ...(family === 6 && { metric: 1024, pref: 'medium' }),
    ...(type && family === 6 && { dev: 'lo' }),
    ...scope,
    ...rest,
    ...(hops.length > 0 && { nexthops: hops.map((n) => ({ weight: 1, ...pairs(n.split(' ')) })) }),
  }
}

/** What iptables-save prints: built-in chains are there without being named. */
function saveText(rules: string): string {
  const hooks: Readonly<Record<string, readonly string[]>> = {
    raw: ['PREROUTING', 'OUTPUT'],
    mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
    nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
    filter: ['INPUT', 'FORWARD', 'OUTPUT'],
    security: ['INPUT', 'FORWARD', 'OUTPUT'],
  }
  return restoreText(rules).replace(/^\*(\w+)\n([^*]*)/gm, (_, table: string, body: string) => {
    const missing = (hooks[table] ?? []).filter((c) => !body.includes(`:${c} `)).map((c) => `:${c} ACCEPT [0:0]\n`)
    return `# Generated by iptables-save v1.8.9\n*${table}\n${missing.join('')}${body}# Completed on Sun Nov 22 14:02:33 2026\n`
  })
}

function sysctlText(h: HostName, more: Readonly<Record<string, string | number>> = {}): string {
  const node = h === 'n1' || h === 'n2' ? 1 : 0
  const all: Record<string, string | number> = { 'net.ipv4.ip_forward': node }
  for (const dev of ['all', 'default', ...linksOf(h).map((l) => (l as { ifname: string }).ifname), 'vxlan/calico']) {
    const v4 = {
      accept_local: 0,
      forwarding: node,
      proxy_arp: dev.startsWith('cali') ? 1 : 0,
      route_localnet: 0,
      rp_filter: 0,
      send_redirects: 0,
      src_valid_mark: 0,
      arp_ignore: 0,
      arp_filter: 0,
    }
    for (const [key, value] of Object.entries(v4)) all[`net.ipv4.conf.${dev}.${key}`] = value
    all[`net.ipv6.conf.${dev}.forwarding`] = node
  }
  return Object.entries({ ...all, ...more })
    .map(([k, v]) => `${k} = ${v}\n`)
    .join('')
}

const sockets = (proto: string, state: string, ports: readonly number[]): string =>
  ports.map((p) => `${proto} ${state} 0 0 0.0.0.0:${p} 0.0.0.0:*\n${proto} ${state} 0 0 [::]:${p} [::]:*\n`).join('')

export function make(m: Made, family: 4 | 6 = 4): Snapshot {
  const words = (text: string | undefined) =>
    forFamily(text ?? '', family)
      .split('\n')
      .map((l) => l.trim())
      .filter((l) => l !== '')
  const files: Record<string, string> = { ...objects }
  for (const h of hosts) {
    if (m.undumped?.includes(h)) continue
    const put = (name: string, text: string) => {
      files[`${folderOf(h)}/${name}`] = text
    }
    const standard = linksOf(h).map((l) => ({ ...l, ...m.devices?.[h]?.[(l as { ifname: string }).ifname] }))
    const links = [...standard, ...(m.links?.[h] ?? [])]
    put('ip-link.json', JSON.stringify(links.map((l) => ({ ...l, addr_info: undefined }))))
    put('ip-addr.json', JSON.stringify(links))
    for (const v of [4, 6] as const) {
      const asked = v === family ? words(m.routes?.[h]) : []
      const gone = new Set(asked.filter((l) => l.startsWith('-')).map((l) => l.slice(1)))
      const lines = [...routesOf(h, v).filter((l) => !gone.has(l.split(' ')[0] as string)), ...asked.filter((l) => !l.startsWith('-'))]
      put(
        v === 4 ? 'ip-route.json' : 'ip6-route.json',
        JSON.stringify(
          lines.map((l) => routeJson(l, v)),
          undefined,
          1,
        ),
      )
      const first = { priority: 0, src: 'all', table: 'local' }
      const main = { priority: 32766, src: 'all', table: 'main' }
      put(
        v === 4 ? 'ip-rule.json' : 'ip6-rule.json',
        JSON.stringify([first, ...(v === family ? (m.policyRouting?.[h] ?? []) : []), main], undefined, 1),
      )
    }
    put('ip-neigh.json', '[]')
    put('bridge-fdb.json', '[]')
    put('sysctl.txt', sysctlText(h, m.sysctl?.[h]))
    put('sockets.txt', sockets('tcp', 'LISTEN', tcpPorts) + sockets('udp', 'UNCONN', udpPorts))
    put('versions.txt', 'iptables backend in use: nft\n')
    put('nft.txt', '')
    const [tool, other] = family === 4 ? ['iptables', 'ip6tables'] : ['ip6tables', 'iptables']
    put(`${tool}-save.txt`, m.rules?.[h] === undefined ? '' : saveText(forFamily(m.rules[h], family)))
    put(`${other}-save.txt`, '')
    if (m.rules?.[h] !== undefined) put('nft.txt', `table ip${family === 4 ? '' : '6'} filter {\n}\n`)
    if (m.legacy?.[h] !== undefined) put(`${tool}-legacy-save.txt`, saveText(forFamily(m.legacy[h], family)))
    put('ipset-save.txt', m.sets?.[h] === undefined ? '' : `${words(m.sets[h]).join('\n')}\n`)
  }
  for (const [file, text] of Object.entries(m.files ?? {})) {
    if (text === false) delete files[file]
    else files[file] = text
  }
  return loadSnapshot(memoryFiles('made up', files))
}

/** What the flows (netns-case.ts) come to, one line each in the form `FLOW = OUTCOME | OUTCOME`, probabilities where they are no 1. */
export function walk(m: Made, flows: string, family: 4 | 6 = 4): { readonly got: readonly string[]; readonly want: readonly string[] } {
  const snapshot = make(m, family)
  const lines = parseFlows(forFamily(flows, family))
  const got = lines.map((f) => {
    const { outcomes } = traceFlow(snapshot, flowOf(f), { brief: true })
    const told = outcomes.map(
      (o) =>
        (o.probability === 1 ? '' : `${Math.round(o.probability * 1000) / 1000} `) +
        (f.expected.includes('ok') && o.verdict === 'delivered' ? 'ok' : outcomeText(o, f.proto)),
    )
    return `${f.text.split(' = ')[0]} = ${told.sort().join(' | ')}`
  })
  return { got, want: lines.map((f) => `${f.text.split(' = ')[0]} = ${[...f.expected].sort().join(' | ')}`) }
}

/** `cluster/pods.json` in which the pods declare tcp/80, which is what tells where a pod has no dump */
export const podsWithPorts = JSON.stringify({
  apiVersion: 'v1',
  kind: 'PodList',
  items: [
    ['p1', 'n1', '10.244.1.2'],
    ['p2', 'n2', '10.244.2.2'],
  ].map(([name, nodeName, podIP]) => ({
    metadata: { namespace: 't', name },
    spec: { nodeName, containers: [{ name: 'c', ports: [{ containerPort: 80, protocol: 'TCP' }] }] },
    status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }] },
  })),
})
