/**
 * Faults put into recorded clusters that run: of the flows that fare worse for it, each must name the faulty node and entry on its first line.
 * A sample of the flows; with CI set a larger one.
 */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { traceText } from '../../src/report/trace/trace-text.ts'
import type { Snapshot } from '../../src/snapshot/types.ts'
import { traceFlow } from '../../src/trace/trace.ts'
import { captures } from '../support/captures.ts'
import { faresWorse } from '../support/fares-worse.ts'
import { needs } from '../support/needs.ts'
import { flowOf, truthOf } from '../support/predict.ts'
import { type Changes, deviceDown, type Entry, type Recording, recording } from '../trace/cause/damaged.ts'

interface Fault {
  readonly what: string
  readonly changes: readonly Changes[]
  /** node and entry */
  readonly says: RegExp
  /** flows that show it, where a sample would miss them */
  readonly dst?: string
}

const routes = ['ip-route.json', 'ip6-route.json']
const isRoute = (e: Entry, dst: string): boolean => e.dst === dst

/** The text of an nft ruleset alone, changed. */
const nft = (r: Recording, node: string, change: (text: string) => string): Changes => {
  const file = `nodes/${node}/nft.txt`
  const now = change(r.text(file))
  if (now === r.text(file)) throw new Error(`nothing was changed in ${file}`)
  return { [file]: now, [`nodes/${node}/nft.json`]: undefined }
}

const table = (family: string, hook: string, policy: string, rule: string): string =>
  `table ${family} hardening {\n\tchain ${hook} {\n\t\ttype filter hook ${hook} priority filter - 10; policy ${policy};\n\t\t${rule}\n\t}\n}\n`

/** An address of a Service taken off kube-ipvs0, and with it its local route. */
const unbound = (r: Recording, node: string, address: string, files: readonly string[]): readonly Changes[] => [
  r.entries(`nodes/${node}/ip-addr.json`, (e) => ({ ...e, addr_info: (e.addr_info as Entry[]).filter((a) => a.local !== address) })),
  ...files.map((f) => r.entries(`nodes/${node}/${f}`, (e) => (isRoute(e, address) ? undefined : e))),
]

const faults: Readonly<Record<string, (r: Recording) => readonly Fault[]>> = {
  'ipip-ipvs': (r) => [
    {
      what: 'a Service address is not bound to kube-ipvs0',
      changes: unbound(r, 'n1', '10.96.105.203', ['ip-route.json']),
      says: /n1: 10\.96\.105\.203 .* not bound to kube-ipvs0/,
      dst: '10.96.105.203',
    },
    {
      what: 'a virtual server is missing',
      changes: [r.without('nodes/n1/ipvsadm-save.txt', (l) => l.includes('10.96.105.203:80 '))],
      says: /n1: no virtual server for 10\.96\.105\.203:80/,
      dst: '10.96.105.203',
    },
    {
      what: 'a virtual server is empty',
      changes: [r.without('nodes/n1/ipvsadm-save.txt', (l) => l.startsWith('-a') && l.includes('10.96.105.203:80 '))],
      says: /n1: virtual server -t 10\.96\.105\.203:80 has no real servers/,
      dst: '10.96.105.203',
    },
    { what: 'tunl0 is down', changes: deviceDown(r, 'n2', 'tunl0'), says: /\bn2: tunl0.* is down/ },
    {
      what: 'a route by the wrong device',
      changes: [
        r.entries('nodes/n2/ip-route.json', (e) => (isRoute(e, '10.244.98.0/26') ? { ...e, dev: 'eth0', gateway: '172.18.0.1' } : e)),
      ],
      says: /\bn2: .*10\.244\.98\.0\/26 via 172\.18\.0\.1 dev eth0/,
    },
    {
      what: 'tunnel packets are not admitted',
      changes: [r.without('nodes/n3/iptables-save.txt', (l) => l.includes('Allow IPIP packets from Calico hosts'))],
      says: /\bn3: Drop IPIP packets from non-Calico hosts/,
    },
    {
      what: 'somebody drops what comes out of the tunnel',
      changes: [
        {
          'nodes/n2/iptables-save.txt': r
            .text('nodes/n2/iptables-save.txt')
            .replace(/(-A FORWARD .*\n)/, '-A FORWARD -i tunl0 -j DROP\n$1'),
        },
      ],
      says: /\bn2: -A FORWARD -i tunl0 -j DROP/,
    },
  ],
  'ipip-crosssubnet-ipvs-dualstack': (r) => [
    {
      what: 'an IPv6 address is not bound to kube-ipvs0',
      changes: unbound(r, 'n1', 'fd00:10:96::2a1c', routes),
      says: /n1: fd00:10:96::2a1c .* not bound to kube-ipvs0/,
      dst: 'fd00:10:96::2a1c',
    },
    {
      what: 'an IPv6 virtual server is missing',
      changes: [r.without('nodes/n1/ipvsadm-save.txt', (l) => l.includes('[fd00:10:96::2a1c]:80 '))],
      says: /n1: no virtual server for \[fd00:10:96::2a1c\]:80/,
      dst: 'fd00:10:96::2a1c',
    },
  ],
  wireguard: (r) => [
    {
      what: 'the device is down',
      changes: deviceDown(r, 'n2', 'wireguard.cali'),
      says: /\bn2: .*(wireguard\.cali is down|WireGuard device)/,
    },
    {
      what: 'the rule of its table is missing',
      changes: [r.entries('nodes/n2/ip-rule.json', (e) => (e.priority === 99 ? undefined : e))],
      says: /\bn2: no rule leads to table 1/,
    },
    {
      what: 'a block is not among the allowed addresses',
      changes: [{ 'nodes/n2/wg-show.txt': r.text('nodes/n2/wg-show.txt').replace('10.244.98.0/26, ', '') }],
      says: /\bn2: (no peer of wireguard\.cali has|.* may not send from)/,
    },
    {
      what: 'its port is closed by hand',
      changes: [
        {
          'nodes/n2/iptables-save.txt': r
            .text('nodes/n2/iptables-save.txt')
            .replace(/(-A INPUT .*\n)/, '-A INPUT -p udp -m udp --dport 51820 -j DROP\n$1'),
        },
      ],
      says: /\bn2: .*--dport 51820 -j DROP/,
    },
  ],
  'nft-nft': (r) => [
    {
      what: 'the map lacks a Service',
      changes: [nft(r, 'n1', (t) => t.replace(/\t+ {5}10\.96\.142\.159 \. tcp \. 80 : goto \S+,\n/, ''))],
      says: /n1: no element for 10\.96\.142\.159:80/,
      dst: '10.96.142.159',
    },
    {
      what: 'a foreign chain drops what comes out of the tunnel',
      changes: [nft(r, 'n2', (t) => t + table('inet', 'forward', 'accept', 'iifname "vxlan.calico" drop'))],
      says: /\bn2: iifname "vxlan\.calico" drop/,
    },
    {
      what: 'the policy of a foreign chain drops',
      changes: [nft(r, 'n2', (t) => t + table('ip', 'forward', 'drop', 'oifname "vxlan.calico" accept'))],
      says: /\bn2: policy of forward is drop/,
    },
    {
      what: 'tunnel packets are dropped in input',
      changes: [nft(r, 'n2', (t) => t + table('inet', 'input', 'accept', 'udp dport 4789 drop'))],
      says: /\bn2: udp dport 4789 drop/,
    },
    { what: 'the tunnel is down', changes: deviceDown(r, 'n2', 'vxlan.calico'), says: /\bn2: vxlan\.calico is down/ },
  ],
  'crosssubnet-nft-dualstack': (r) => [
    {
      what: 'the map lacks an IPv6 Service',
      changes: [nft(r, 'n1', (t) => t.replace(/\t+ +fd00:10:96::5dc5 \. tcp \. 80 : goto \S+,\n/, ''))],
      says: /n1: no element for \[fd00:10:96::5dc5\]:80/,
      dst: 'fd00:10:96::5dc5',
    },
    {
      what: 'the IPv6 tunnel is down',
      changes: [
        ...deviceDown(r, 'n3', 'vxlan-v6.calico'),
        r.entries('nodes/n3/ip6-route.json', (e) => (e.dev === 'vxlan-v6.calico' && e.type === undefined ? undefined : e)),
      ],
      says: /\bn3: vxlan-v6\.calico is down/,
    },
    {
      what: 'a node does not forward IPv6',
      changes: [{ 'nodes/n2/sysctl.txt': r.text('nodes/n2/sysctl.txt').replace(/(net\.ipv6\.conf\.\S+\.forwarding) = 1/g, '$1 = 0') }],
      says: /\bn2: net\.ipv6\.conf\.all\.forwarding = 0/,
    },
    {
      what: 'the IPv6 routes to blocks are missing',
      changes: routes.map((f) =>
        r.entries(`nodes/n1/${f}`, (e) => (String(e.dst).startsWith('fd00:10:244:') && e.gateway && e.dev === 'eth0' ? undefined : e)),
      ),
      says: /\bn1: no route to fd00:10:244:\S+ \(block of n2\)/,
    },
  ],
}

const sample = process.env.CI ? 4 : 16

const recorded = needs('captures')

describe.runIf(recorded).each(Object.keys(faults))('%s', (name) => {
  const r = recording(name)
  const lines = recorded ? truthOf(join(captures, name)) : []
  let whole: Snapshot | undefined
  const before = new Map<string, ReturnType<typeof traceFlow>>()
  const was = (line: (typeof lines)[number]) => {
    let known = before.get(line.id)
    if (!known) before.set(line.id, (known = traceFlow((whole ??= r.load()), flowOf(line))))
    return known
  }
  const list = recorded ? (faults[name]?.(r) ?? []) : []
  test.each(list.map((f) => [f.what, f] as const))('%s', (_, { changes, says, dst }) => {
    const broken = r.load(...changes)
    let worse = 0
    const unsaid: string[] = []
    for (const [i, line] of lines.entries()) {
      if (i % sample !== 0 && (dst === undefined || line.dst !== dst)) continue
      const now = traceFlow(broken, flowOf(line))
      if (!faresWorse(was(line), now)) continue
      worse++
      const [first = ''] = traceText(now, { colour: false, unicode: true }).split('\n')
      if (!says.test(first)) unsaid.push(`${line.id} ${line.from.name} → ${line.via}: ${first}`)
    }
    expect(worse).toBeGreaterThan(0)
    expect(unsaid).toEqual([])
  })
})
