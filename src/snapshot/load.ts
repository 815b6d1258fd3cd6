import { loadCluster } from '../cluster/load.ts'
import type { Cluster } from '../cluster/types.ts'
import type { FileSource } from '../system/files.ts'
import { ebpfDataplanes } from './ebpf.ts'
import { defaultHeader, parseHeader } from './header.ts'
import { missingOf, openHost } from './host.ts'
import { openStore } from './store.ts'
import type { Host, Snapshot } from './types.ts'

/** Folder of the snapshot → kind of host that its subfolders are. */
const KINDS = { nodes: 'node', pods: 'pod', external: 'external' } as const

/** Is this a snapshot at all? */
export const isSnapshot = (files: readonly string[]): boolean =>
  files.some((f) => f === 'snapshot.json' || f === 'snapshot.json.gz' || /^nodes\/[^/]+\/[^/]+$/.test(f))

/** What of a snapshot is parsed already: its cluster, and its hosts by their folder. */
export interface Parsed {
  cluster?: Cluster
  readonly hosts: Map<string, Host>
}

/**
 * A snapshot whose hosts are read and parsed as they are asked for, dump by dump; Kubernetes objects and conntrack tables likewise. `parsed` is
 * taken as it is, and filled in: a snapshot that grows is parsed once. A dump that is damaged throws ParseError (file, line, what is wrong): at once
 * one that all questions need (snapshot.json, small lists of objects), any other whoever comes to it first. `most`: see `lightened`.
 */
export function loadSnapshot(source: FileSource, parsed: Parsed = { hosts: new Map() }, most = MOST_HELD): Snapshot {
  const store = openStore(source)
  const headerFile = store.find('snapshot.json')
  const header =
    headerFile === undefined
      ? defaultHeader('snapshot.json: nothing is known about listeners beyond the dumps')
      : parseHeader(store.text(headerFile) as string, headerFile)
  const cluster = (parsed.cluster ??= loadCluster({
    files: store.files.filter((f) => f.startsWith('cluster/')),
    text: (f) => store.text(f) ?? '',
  }))
  const folders = hostFolders(store.files)
  let limit = most
  const open = (known: Map<string, Host>, again: boolean): Snapshot => {
    const hosts = new Map<string, Host>()
    for (const [dir, kind, name] of folders) {
      const host = known.get(dir) ?? openHost(store, kind, name, dir)
      known.set(dir, host)
      hosts.set(host.id, host)
    }
    const missing = [...header.missing, ...[...hosts.values()].flatMap((host) => missingOf(store, host))]
    const snapshot: Snapshot = {
      name: source.name,
      header: { ...header, missing },
      cluster,
      hosts,
      ebpf: ebpfDataplanes(hosts, cluster),
      line: store.line,
      text: store.text,
      files: store.files,
    }
    let first = again
    lighter.set(snapshot, () => {
      const held = store.held()
      // what one flow alone takes would be read anew for each
      if (first && held > limit) limit = 2 * held
      first = false
      if (held <= limit) return snapshot
      store.forget()
      return open(new Map(), true)
    })
    return snapshot
  }
  return open(parsed.hosts, false)
}

/** Characters of dumps that are held before they are let go of: what is parsed of them takes three times as much, besides. */
const MOST_HELD = 96 * 2 ** 20

const lighter = new WeakMap<Snapshot, () => Snapshot>()

/**
 * The same snapshot, with none of its hosts read, once so much of them is held that memory is at stake; until then, itself. Who asks for one host
 * after the other goes on with this one and lets go of the other. One that is not as it was loaded (what if, live) stays as it is.
 */
export const lightened = (snapshot: Snapshot): Snapshot => lighter.get(snapshot)?.() ?? snapshot

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
