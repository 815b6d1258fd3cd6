import { loadCluster } from '../cluster/load.ts'
import type { Cluster } from '../cluster/types.ts'
import type { FileSource } from '../system/files.ts'
import { ebpfDataplanes } from './ebpf.ts'
import { defaultHeader, parseHeader } from './header.ts'
import { loadHost } from './host.ts'
import { openStore, type Store } from './store.ts'
import type { Host, Snapshot } from './types.ts'

/** Folder of the snapshot → kind of host that its subfolders are. */
const KINDS = { nodes: 'node', pods: 'pod', external: 'external' } as const

/** Is this a snapshot at all? */
export const isSnapshot = (files: readonly string[]): boolean =>
  files.some((f) => f === 'snapshot.json' || f === 'snapshot.json.gz' || /^nodes\/[^/]+\/[^/]+$/.test(f))

/** What of a snapshot is parsed already: its cluster, and its hosts by their folder, with what is missing of them. */
export interface Parsed {
  cluster?: Cluster
  readonly hosts: Map<string, { readonly host: Host; readonly missing: readonly string[] }>
}

/**
 * Reads and parses a snapshot. `parsed` is taken as it is, and filled in: a snapshot that grows is parsed once. Throws ParseError (file, line, what is wrong) on any dump that is damaged, whether or not a flow would need it.
 * Kubernetes objects and conntrack tables are parsed when they are first asked for.
 */
export function loadSnapshot(source: FileSource, parsed: Parsed = { hosts: new Map() }): Snapshot {
  const store = openStore(source)
  const headerFile = store.find('snapshot.json')
  const header =
    headerFile === undefined
      ? defaultHeader('snapshot.json: nothing is known about listeners beyond the dumps')
      : parseHeader(store.text(headerFile) as string, headerFile)
  const notes: string[] = []
  const hosts = new Map<string, Host>()
  for (const [dir, kind, name] of hostFolders(store.files)) {
    const { host, missing } = parsed.hosts.get(dir) ?? parseHost(store, kind, name, dir)
    parsed.hosts.set(dir, { host, missing })
    hosts.set(host.id, host)
    notes.push(...missing)
  }
  const cluster = (parsed.cluster ??= loadCluster({
    files: store.files.filter((f) => f.startsWith('cluster/')),
    text: (f) => store.text(f) ?? '',
  }))
  return {
    name: source.name,
    header: { ...header, missing: [...header.missing, ...notes] },
    cluster,
    hosts,
    ebpf: ebpfDataplanes(hosts, cluster),
    line: store.line,
    text: store.text,
    files: store.files,
  }
}

function parseHost(
  store: Store,
  kind: Host['kind'],
  name: string,
  dir: string,
): { readonly host: Host; readonly missing: readonly string[] } {
  const missing: string[] = []
  return { host: loadHost(store, kind, name, dir, (what) => missing.push(what)), missing }
}

/** Each folder below nodes/, pods/ and external/ once, with the kind and name of its host. */
function hostFolders(files: readonly string[]): readonly (readonly [string, Host['kind'], string])[] {
  const seen = new Map<string, readonly [string, Host['kind'], string]>()
  for (const file of files) {
    const parts = file.split('/', 3)
    const [top, folder] = parts
    if (parts.length < 3 || folder === undefined || folder === '' || !(top === 'nodes' || top === 'pods' || top === 'external')) continue
    const dir = `${top}/${folder}`
    if (seen.has(dir)) continue
    const kind = KINDS[top]
    // Kubernetes names have no underscore: the first one parts namespace and pod
    const cut = folder.indexOf('_')
    if (kind === 'pod' && (cut <= 0 || cut === folder.length - 1)) continue
    seen.set(dir, [dir, kind, kind === 'pod' ? `${folder.slice(0, cut)}/${folder.slice(cut + 1)}` : folder])
  }
  return [...seen.values()]
}
