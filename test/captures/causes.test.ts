/**
 * Each broken cluster against the same cluster without the fault: every flow that fares otherwise must have a cause that names the faulty
 * node and entry, on the first line of the text, too. What is expected stands in each recording's fault.json and README.md, written out here by hand.
 */
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { traceText } from '../../src/report/trace/trace-text.ts'
import { loadSnapshot } from '../../src/snapshot/load.ts'
import { openFolder } from '../../src/system/files-folder.ts'
import { traceFlow } from '../../src/trace/trace.ts'
import type { Cause, Trace } from '../../src/trace/types.ts'
import { captures } from '../support/captures.ts'
import { faresWorse } from '../support/fares-worse.ts'
import { needs } from '../support/needs.ts'
import { flowOf, type TruthLine, truthOf } from '../support/predict.ts'

interface Expected {
  readonly base: string
  /** `where` of fault.json: node and entry; several where the fault has several ends */
  readonly fault: readonly { readonly node: RegExp; readonly kind: readonly Cause['kind'][]; readonly entry: RegExp }[]
  /** flows that show the fault, where the base has it as well (or lacks the flow) */
  readonly also?: (t: TruthLine) => boolean
}

const expected: Readonly<Record<string, Expected>> = {
  // table filter, chain FORWARD: "a foreign chain ADMIN-HARDENING … drops what comes in from vxlan.calico"
  'broken-admin-chain': {
    base: 'broken-none-vxlan',
    fault: [{ node: /^n2$/, kind: ['rule'], entry: /-A ADMIN-HARDENING -i vxlan\.calico .*-j DROP \(filter FORWARD\)/ }],
  },
  // "the BGP session between n2 and n3 is down": each lacks the block of the other
  'broken-bgp-session': {
    base: 'broken-none-bgp',
    fault: [
      { node: /^n2$/, kind: ['missing-route'], entry: /no route to \S+\/26 \(block of n3\)/ },
      { node: /^n3$/, kind: ['missing-route'], entry: /no route to \S+\/26 \(block of n2\)/ },
    ],
  },
  // no node: the policy applies to every pod of shop
  'broken-dns-egress': {
    base: 'broken-none-vxlan',
    fault: [{ node: /^n[123]$/, kind: ['policy'], entry: /egress rule of .*networkpolicy shop\/egress-web-only/ }],
  },
  // the base sends 203.0.113.11 to n1 just so: the outside clients of that address show it
  'broken-etp-local': {
    base: 'broken-none-vxlan',
    fault: [{ node: /^n1$/, kind: ['endpoint'], entry: /shop\/web-lb-local has no endpoint on n1 .*Local/ }],
    also: (t) => t.from.kind === 'external' && t.dst === '203.0.113.11',
  },
  // "FORWARD policy DROP and a foreign DROP rule (not from and not to a cali interface)"
  'broken-forward-drop': {
    base: 'broken-none-vxlan',
    fault: [{ node: /^n2$/, kind: ['rule'], entry: /-A FORWARD ! -i cali\+ ! -o cali\+ .*-j DROP|policy of FORWARD is DROP/ }],
  },
  // "the ingress policy of the HostEndpoint n3-eth0 allows ICMP but not ICMPv6: neighbor advertisements and solicitations for n3 are dropped"
  'broken-hep-ipv6-ndp': {
    base: 'crosssubnet-nft-dualstack',
    fault: [{ node: /^n3$/, kind: ['policy'], entry: /globalnetworkpolicy edge-ingress .*neighbour discovery.*hostendpoint n3-eth0/ }],
  },
  'broken-ip-forward': { base: 'broken-none-vxlan', fault: [{ node: /^n2$/, kind: ['sysctl'], entry: /net\.ipv4\.ip_forward = 0/ }] },
  // the flows to the leaked address are not in the base
  'broken-ipam-leak': {
    base: 'broken-none-vxlan',
    fault: [{ node: /^n2$/, kind: ['endpoint'], entry: /10\.244\.217\.8 is allocated to ops\/ghost/ }],
    also: (t) => t.dst === '10.244.217.8',
  },
  // "the IPVS table of n1 still has 10.244.217.1:8080 (deleted pod shop/web-2) as a real server of shop/web and of every other service"; n2 and n3 have not
  'broken-ipvs-stale-server': {
    base: 'ipvs-schedulers',
    fault: [
      { node: /^n1$/, kind: ['endpoint'], entry: /10\.244\.217\.1:\d+ is not an endpoint of service .* virtual server .* sends to it/ },
    ],
  },
  'broken-missing-route': {
    base: 'broken-none-bgp',
    fault: [{ node: /^n1$/, kind: ['missing-route'], entry: /no route to 10\.244\.217\.0\/26/ }],
  },
  // "the uplink of n2 has MTU 1400 but vxlan.calico and the pods keep 1450 … packets of more than 1350 bytes (plus 4 bytes of slack of the veth)
  // to pods on n2 are lost without an error": 1350 + 4 bytes are 1326 of payload; the base has no such flows
  'broken-mtu': {
    base: 'broken-none-vxlan',
    fault: [
      {
        node: /^n2$/,
        kind: ['mtu'],
        entry: /eth0 has MTU 1400: a packet of \d+ bytes around one of \d+ is too big; vxlan\.calico of n[13] let it in, with MTU 1450/,
      },
    ],
    also: (t) => (t.payload ?? 0) > 1326 && t.dst.startsWith('10.244.217.') && !t.from.ip?.startsWith('10.244.217.'),
  },
  'broken-no-kube-proxy': {
    base: 'broken-none-vxlan',
    fault: [{ node: /^n3$/, kind: ['missing-rule'], entry: /kube-proxy has not programmed n3/ }],
  },
  'broken-rp-filter': {
    base: 'broken-none-vxlan',
    fault: [{ node: /^n2$/, kind: ['sysctl'], entry: /net\.ipv4\.conf\.(eth0|all)\.rp_filter = 1/ }],
  },
  'broken-stale-endpoints': {
    base: 'broken-none-vxlan',
    fault: [{ node: /^n1$/, kind: ['endpoint'], entry: /10\.244\.217\.5:\d+ is not an endpoint of service / }],
  },
  'broken-veth-deleted': {
    base: 'broken-none-vxlan',
    fault: [{ node: /^n2$/, kind: ['link'], entry: /calib8419a605df of pod shop\/web-2 is gone/ }],
  },
  'broken-vxlan-down': { base: 'broken-none-vxlan', fault: [{ node: /^n2$/, kind: ['link'], entry: /vxlan\.calico is down/ }] },
}

/** The flow as its client means it: Service addresses differ from recording to recording. */
const meaning = (t: TruthLine): string => {
  const nodes = t.dst.startsWith('172.') ? t.dst : ''
  return JSON.stringify([t.from.kind, t.from.name, t.proto, t.via?.startsWith('svc ') ? [t.via, nodes] : [t.via, t.dst], t.port])
}

interface Walked {
  readonly line: TruthLine
  readonly trace: Trace
}

const walks = new Map<string, readonly Walked[]>()

function walk(name: string): readonly Walked[] {
  let known = walks.get(name)
  if (!known) {
    const folder = join(captures, name)
    const snapshot = loadSnapshot(openFolder(folder))
    known = truthOf(folder).map((line) => ({ line, trace: traceFlow(snapshot, flowOf(line)) }))
    walks.set(name, known)
  }
  return known
}

/** A node's name inside a line. */
const wordOf = (node: RegExp): RegExp => new RegExp(node.source.replace('^', '\\b').replace('$', '\\b'))

interface Score {
  readonly flows: number
  readonly named: number
  /** flows whose text says node and entry on its first line */
  readonly said: number
  readonly unsaid: readonly string[]
  readonly missed: readonly string[]
}

function score(name: string, { base, fault, also }: Expected): Score {
  const before = new Map(walk(base).map((w) => [meaning(w.line), w.trace]))
  const changed = walk(name).filter((w) => {
    const was = before.get(meaning(w.line))
    return also?.(w.line) || (was !== undefined && faresWorse(was, w.trace))
  })
  const names = (c: Cause | undefined): boolean =>
    c !== undefined && fault.some((f) => f.node.test(c.node) && f.kind.includes(c.kind) && f.entry.test(c.entry))
  const missed = changed.filter((w) => !w.trace.paths.some((p) => names(p.cause)))
  const firstLine = (t: Trace): string => traceText(t, { colour: false, unicode: true }).split('\n')[0] ?? ''
  const unsaid = changed.filter(({ trace }) => !fault.some((f) => f.entry.test(firstLine(trace)) && wordOf(f.node).test(firstLine(trace))))
  return {
    flows: changed.length,
    named: changed.length - missed.length,
    said: changed.length - unsaid.length,
    unsaid: unsaid.map((w) => `${w.line.id} ${w.line.via}: ${firstLine(w.trace)}`),
    missed: missed.map(
      (w) =>
        `${w.line.id} ${w.line.from.name} → ${w.line.via}: ${[...new Set(w.trace.paths.map((p) => (p.cause ? `${p.cause.node} ${p.cause.kind} ${p.cause.entry}` : p.verdict)))].join(' | ')}`,
    ),
  }
}

describe.runIf(needs('captures'))('causes name the faulty node and entry', () => {
  const figures: string[] = []
  afterAll(() => process.stdout.write(`causes:\n${figures.join('\n')}\n`))

  test.each(Object.entries(expected))('%s', (name, e) => {
    const { flows, named, said, missed, unsaid } = score(name, e)
    figures.push(
      `  ${name.padEnd(24)} ${String(named).padStart(3)} of ${String(flows).padStart(3)} flows, ${String(said).padStart(3)} on the first line`,
    )
    expect(flows).toBeGreaterThan(0)
    expect(named, missed.join('\n')).toBe(flows)
    expect(said, unsaid.join('\n')).toBe(flows)
  })

  test('every path that is not delivered has a cause, whose evidence is the line it names', () => {
    for (const name of [
      ...Object.keys(expected),
      'broken-none-vxlan',
      'broken-none-bgp',
      'nft-nft',
      'ipip-ipvs',
      'wireguard',
      'random-2',
    ]) {
      const snapshot = loadSnapshot(openFolder(join(captures, name)))
      for (const { line, trace } of walk(name)) {
        for (const { verdict, cause } of trace.paths) {
          if (verdict === 'delivered' || verdict === 'undecided') continue
          expect(cause?.entry, `${name} ${line.id}`).toMatch(/\S/)
          if (cause?.evidence) expect(cause.evidence.text).toBe(snapshot.line(cause.evidence.file, cause.evidence.line))
        }
      }
    }
  })
})
