/** Made-up traces: hops written as the lines that they stand for, in a snapshot that has just these lines. */
import type { Cluster } from '../../../src/cluster/types.ts'
import type { Snapshot } from '../../../src/snapshot/types.ts'
import { chainOwner } from '../../../src/trace/attribution/chain-owner.ts'
import type { Walked } from '../../../src/trace/comparison/walked.ts'
import type { Flow, Hop, Outcome, Path } from '../../../src/trace/types.ts'
import { emptyCluster, pod, prefix, service } from '../attribution/rules.ts'

export interface Book {
  readonly snapshot: Snapshot
  rule(node: string, table: string, text: string, extra?: Partial<Hop>): Hop
  entry(node: string, stage: Hop['stage'], where: string, action: string, extra?: Partial<Hop>): Hop
}

const source = { file: 'cluster/ippools.crd.projectcalico.org.json', line: 2 }
const files: Readonly<Record<string, readonly string[]>> = {
  'cluster/ippools.crd.projectcalico.org.json': [
    '{"items": [',
    ' {"metadata": {"name": "default"},',
    '  "spec": {"cidr": "10.244.0.0/16"}',
    ' }',
    ']}',
  ],
  'cluster/ipamblocks.crd.projectcalico.org.json': ['{', '"handle_id": "web-1"', '"handle_id": "client"', '"handle_id": "web-2"', '}'],
}
const blockSource = { file: 'cluster/ipamblocks.crd.projectcalico.org.json', line: 1 }

export const cluster: Cluster = {
  ...emptyCluster,
  pods: [pod('shop', 'client', '10.244.0.3', 'n1'), pod('shop', 'web-1', '10.244.0.4', 'n1'), pod('shop', 'web-2', '10.244.1.4', 'n2')],
  services: [service('shop', 'web', '10.96.0.10', [{ name: 'http', port: 80, protocol: 'tcp', nodePort: 30080 }])],
  ipPools: [
    { source, name: 'default', cidr: prefix('10.244.0.0/16'), ipipMode: 'Never', vxlanMode: 'Always', natOutgoing: true, disabled: false },
  ],
  ipamBlocks: [
    {
      source: blockSource,
      cidr: prefix('10.244.0.0/26'),
      node: 'n1',
      allocations: new Map([
        ['10.244.0.4', { line: 2 }],
        ['10.244.0.3', { line: 3 }],
      ]),
    },
    { source: blockSource, cidr: prefix('10.244.1.0/26'), node: 'n2', allocations: new Map([['10.244.1.4', { line: 4 }]]) },
  ],
}

export function book(over: Partial<Cluster> = {}): Book {
  const dumps = new Map<string, string[]>()
  const note = (file: string, text: string) => {
    let lines = dumps.get(file)
    if (!lines) dumps.set(file, (lines = []))
    const known = lines.indexOf(text)
    const line = known >= 0 ? known + 1 : lines.push(text)
    return { file, line, text }
  }
  const line = (file: string, n: number) => (dumps.get(file) ?? files[file] ?? [])[n - 1] ?? ''
  const snapshot = {
    name: 'made-up',
    header: { schemaVersion: 1, missing: [], assume: { listeners: {}, forwarding: [], routes: {} } },
    cluster: { ...cluster, ...over },
    hosts: new Map(),
    ebpf: () => undefined,
    files: [],
    line,
    text: (file: string) => (dumps.get(file) ?? files[file])?.join('\n'),
  } satisfies Snapshot
  return {
    snapshot,
    rule(node, table, text, extra = {}) {
      const chain = /^-A (\S+)/.exec(text)?.[1] ?? '?'
      const target = / -[jg] (\S+)/.exec(text)?.[1]
      const to = / --to-destination (\S+)/.exec(text)?.[1]
      const action =
        target === 'DNAT'
          ? `DNAT to ${to}`
          : target === 'ACCEPT'
            ? 'accept'
            : target === 'RETURN'
              ? 'return'
              : /^(KUBE|cali)-/.test(target ?? '')
                ? `to ${target}`
                : (target ?? 'counted')
      const weight = /^(ACCEPT|DROP|REJECT)$/.test(target ?? '')
        ? 'decides'
        : /^(MARK|DNAT|MASQUERADE)$/.test(target ?? '')
          ? 'changes'
          : 'passes'
      const owner = text.includes('"cali:') ? 'calico' : (chainOwner(chain) ?? 'other')
      return {
        node,
        stage: table as Hop['stage'],
        where: `${table} ${chain}`,
        owner,
        action,
        weight,
        evidence: note(`nodes/${node}/iptables-save.txt`, text),
        table,
        chain,
        ...extra,
      }
    },
    entry(node, stage, where, action, extra = {}) {
      const owner =
        / dev (cali|vxlan\.calico|tunl0)| proto bird|169\.254\.1\.1/.test(` ${action}`) ||
        /^(cali|vxlan\.calico)/.test(where) ||
        node.startsWith('pod/')
          ? 'calico'
          : 'kernel'
      return {
        node,
        stage,
        where,
        owner,
        action,
        weight: 'changes',
        evidence: note(`${node.startsWith('pod/') ? 'pods' : 'nodes'}/${node}/ip-route.json`, `${stage} ${where} ${action}`),
        ...extra,
      }
    },
  }
}

export const cali = '-m comment --comment "cali:AAAAAAAAAAAAAAAA"'

export const fromClient = (dst: string, port: number): Flow => ({ from: { kind: 'pod', name: 'shop/client' }, proto: 'tcp', dst, port })

export function walked(flow: Flow, path: Pick<Path, 'hops'> & Partial<Path>, outcome: Partial<Outcome> = {}): Walked {
  const verdict = path.verdict ?? 'delivered'
  return { flow, outcomes: [{ verdict, probability: 1, paths: [0], ...outcome }], paths: [{ verdict, probability: 1, ...path }] }
}
