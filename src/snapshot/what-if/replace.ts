/** `--replace NAME=FILE`: as if a dump of the snapshot, or a list of objects, held what another file holds. */
import { loadCluster } from '../../cluster/load.ts'
import type { Cluster } from '../../cluster/types.ts'
import { NetctlError } from '../../error.ts'
import { ParseError } from '../../kernel/source.ts'
import { nearest } from '../../nearest.ts'
import { memoryFiles } from '../../system/files-memory.ts'
import { parseHeader } from '../header.ts'
import { openHost, readWhole } from '../host.ts'
import { openStore, type Texts } from '../store.ts'
import type { Changed, Snapshot } from '../types.ts'
import { labelOf, withHosts } from './change.ts'

/** A file that takes the place of one of the snapshot. */
export interface Replacement {
  /** path inside the snapshot, with or without `.gz` */
  readonly name: string
  /** what the user calls the file, and what is in it (gzipped if its name says so) */
  readonly path: string
  readonly bytes: Buffer
}

/** Throws ParseError naming the new file if it is not what the old one was. */
export function withReplaced(snapshot: Snapshot, { name, path, bytes }: Replacement): Changed {
  const stored = snapshot.files.find((f) => f === name || f === `${name}.gz`)
  if (stored === undefined) {
    const names = snapshot.files.map((f) => f.replace(/\.gz$/, ''))
    const near = nearest(name, names)
    const shown = near.length > 0 ? near : names.filter((f) => f.startsWith(name.slice(0, name.lastIndexOf('/') + 1))).slice(0, 12)
    throw new NetctlError({
      code: 'WHF005',
      message: `--replace ${name}=${path}: the snapshot has no file ${name}`,
      ...(shown.length > 0 && { try: shown.join(', ') }),
    })
  }
  const store = overlay(snapshot, stored, openStore(memoryFiles(path, { [path]: bytes })), path)
  const told = naming(stored, path)
  const base: Snapshot = { ...snapshot, line: store.line, text: store.text }
  const change = { kind: 'replace' as const, what: `${stored} is ${path}` }
  if (stored.startsWith('cluster/')) {
    const files = { files: snapshot.files.filter((f) => f.startsWith('cluster/')), text: (f: string) => store.text(f) ?? '' }
    return { snapshot: { ...base, cluster: told(() => read(loadCluster(files))) }, changes: [change] }
  }
  if (/^snapshot\.json(?:\.gz)?$/.test(stored))
    return { snapshot: { ...base, header: told(() => parseHeader(store.text(stored) ?? '', stored)) }, changes: [change] }
  const host = [...snapshot.hosts.values()].find((h) => stored.startsWith(`${h.dir}/`))
  if (!host) throw new NetctlError({ code: 'WHF005', message: `--replace ${name}=${path}: ${name} is no dump that is read` })
  const { kind, name: hostName, dir } = host
  const changed = openHost(store, kind, hostName, dir)
  told(() => readWhole(changed))
  return { snapshot: withHosts(base, [changed]), changes: [{ ...change, node: labelOf(host) }] }
}

/** Large lists are parsed when they are asked for: here damage is to be told at once. */
function read(cluster: Cluster): Cluster {
  for (const key in cluster) void cluster[key as keyof Cluster]
  return cluster
}

/** The files of a snapshot, with other text in place of one. */
function overlay({ files, text, line }: Snapshot, stored: string, own: Texts, path: string): Texts {
  const known = new Map(files.flatMap((f) => [[f.replace(/\.gz$/, ''), f] as const]).concat(files.map((f) => [f, f] as const)))
  const is = (name: string): boolean => known.get(name) === stored
  return {
    files,
    find: (name) => known.get(name),
    has: (name) => known.has(name),
    text: (name) => (is(name) ? own.text(path) : text(name)),
    line: (name, n) => (is(name) ? own.line(path, n) : line(name, n)),
  }
}

/** Damage is told where the user can mend it: in the file that was named. */
const naming =
  (stored: string, path: string) =>
  <T>(load: () => T): T => {
    try {
      return load()
    } catch (error) {
      if (error instanceof ParseError && error.file === stored) throw new ParseError(path, error.line, error.message)
      throw error
    }
  }
