import Table from 'cli-table3'
import type { Finding, Modes, NodeDescription, SnapshotDescription } from '../snapshot/types.ts'
import { joinLines, labelled, lineWidth, wrap } from './layout.ts'
import { count } from './names.ts'
import { type Line, makePen, type Pen } from './pen.ts'
import { printableJson, sanitize } from './sanitize.ts'
import type { TextOptions } from './terminal.ts'
import { displayWidth } from './width.ts'

/** Column at which the values of a section begin. */
const VALUES = 14

/** `netctl snapshot show` for people: what it is, its nodes, how the cluster is run, how much there is, what is missing. */
export function snapshotText(snapshot: SnapshotDescription, opts: TextOptions): string {
  const pen = makePen(opts)
  return pen.paint([
    ...head(snapshot, pen),
    [],
    ...nodeTable(snapshot.nodes, pen),
    [],
    ...modeLines(snapshot, pen),
    [],
    ...pair('holds', countsLine(snapshot), pen),
    ...missingLines(snapshot, pen),
  ])
}

/** For machines. */
export const snapshotJson = (snapshot: SnapshotDescription): string => `${printableJson(snapshot, 2)}\n`

function head(snapshot: SnapshotDescription, pen: Pen): Line[] {
  const about = [snapshot.source, snapshot.takenAt && `taken ${snapshot.takenAt}`].filter(Boolean).join(', ')
  return wrap(joinLines([[pen.text(snapshot.name, 'strong')], [pen.text(about, 'dim')]]), pen.columns, pen)
}

function pair(label: string, text: string | Line, pen: Pen): Line[] {
  return labelled([pen.text(label, 'dim')], typeof text === 'string' ? [pen.text(text)] : text, VALUES, pen)
}

const COLUMNS = ['node', 'address', 'pods', 'rules', 'routes', 'kernel', 'kube-proxy', 'calico'] as const
const ALIGN = ['left', 'left', 'right', 'right', 'right', 'left', 'left', 'left'] as const
const GAP = 2
/** columns of spaces, no lines */
const BORDERLESS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' '.repeat(GAP),
}

function nodeTable(nodes: readonly NodeDescription[], pen: Pen): Line[] {
  const rows = nodes.map((n) => [
    n.name,
    n.addresses.join(' '),
    String(n.counts.pods),
    n.dumped ? n.counts.rules.toLocaleString('en-US') : '-',
    n.dumped ? n.counts.routes.toLocaleString('en-US') : '-',
    n.kernel ?? '-',
    n.kubeProxy ?? '-',
    n.calico ?? '-',
  ])
  // columns give way from the right until the rest fits; nothing is ever squeezed to nothing
  const widths = COLUMNS.map((name, i) => Math.max(...[name, ...rows.map((r) => r[i] ?? '')].map(displayWidth)))
  let shown: number = COLUMNS.length
  const width = () => widths.slice(0, shown).reduce((sum, w) => sum + w + GAP, -GAP)
  while (shown > 3 && width() > pen.columns) shown--
  if (width() > pen.columns) widths[1] = Math.max(8, (widths[1] as number) - (width() - pen.columns))
  const table = new Table({
    colWidths: widths.slice(0, shown),
    colAligns: ALIGN.slice(0, shown),
    wordWrap: true,
    wrapOnWordBoundary: true,
    chars: BORDERLESS,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
  })
  table.push(...[[...COLUMNS], ...rows].map((row) => row.slice(0, shown).map(sanitize)))
  return table
    .toString()
    .split('\n')
    .map((line, i) => [pen.text(line.trimEnd(), i === 0 ? 'dim' : 'plain')])
}

function modeLines({ modes, external }: SnapshotDescription, pen: Pen): Line[] {
  return [
    ...pair('network', found(modes.cni, pen), pen),
    ...modes.pools.flatMap((p) => pair('pool', poolLine(p, pen), pen)),
    ...pair('routes by', found(modes.routing, pen), pen),
    ...pair('policy by', found(modes.dataplane, pen), pen),
    ...pair('kube-proxy', found(modes.kubeProxy, pen), pen),
    ...pair('iptables', found(modes.iptablesBackend, pen), pen),
    ...pair('families', modes.ipFamilies.length === 0 ? 'unknown' : modes.ipFamilies.map((f) => `IPv${f}`).join(' and '), pen),
    ...pair('WireGuard', modes.wireguard ? 'yes' : 'no', pen),
    ...(Object.keys(modes.felix).length > 0 ? pair('felix', felixText(modes.felix), pen) : []),
    ...(external.length > 0 ? pair('outside', external.map((h) => `${h.name} ${h.addresses[0] ?? ''}`.trim()).join(', '), pen) : []),
  ]
}

const found = (finding: Finding, pen: Pen): Line => [
  pen.text(finding.value, finding.value === 'unknown' || finding.value === 'none' ? 'warn' : 'plain'),
  pen.text(`  ${finding.shownBy}`, 'dim'),
]

function poolLine(pool: Modes['pools'][number], pen: Pen): Line {
  const observed = pool.observed === undefined ? 'no routes to other nodes' : `routes use ${pool.observed}`
  return [
    pen.text(`${pool.name} ${pool.cidr}, encapsulation ${pool.configured}${pool.natOutgoing ? ', NAT outgoing' : ''}`),
    pen.text(`  ${observed}`, 'dim'),
  ]
}

function felixText(felix: Readonly<Record<string, unknown>>): string {
  return Object.entries(felix)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(' ')
}

function countsLine({ counts }: SnapshotDescription): string {
  const nouns = {
    pods: 'pod',
    services: 'service',
    endpoints: 'endpoint',
    policies: 'policy',
    rules: 'rule',
    sets: 'set',
    virtualServers: 'virtual server',
    routes: 'route',
    connections: 'connection',
    files: 'file',
  }
  return Object.entries(nouns)
    .filter(([key]) => key !== 'virtualServers' || (counts[key] ?? 0) > 0)
    .map(([key, noun]) => {
      const n = counts[key] ?? 0
      return noun === 'policy' && n !== 1 ? `${n.toLocaleString('en-US')} policies` : count(n, noun)
    })
    .join(', ')
}

function missingLines(snapshot: SnapshotDescription, pen: Pen): Line[] {
  // what every node lacks is said once
  const byFiles = new Map<string, string[]>()
  const told = (file: string) => snapshot.missing.some((what) => what === file.replace(/\.\w+$/, '') || what.includes(`no ${file}`))
  for (const node of snapshot.nodes)
    for (const file of node.missing) if (!told(file)) byFiles.set(file, [...(byFiles.get(file) ?? []), node.name])
  const files = [...byFiles].map(([file, nodes]) =>
    nodes.length === snapshot.nodes.length ? `${file} of every node` : `${file} of ${nodes.join(', ')}`,
  )
  const all = [...snapshot.missing, ...files]
  if (all.length === 0) return pair('missing', [pen.text('nothing', 'good')], pen)
  return all.flatMap((what, i) =>
    labelled(i === 0 ? [pen.text('missing', 'dim')] : [], [pen.text(what, 'warn')], VALUES, pen).filter((l) => lineWidth(l) > 0),
  )
}
