import { FileError, type FileSource } from '../system/files.ts'
import { openFiles, snapshotAbove } from '../system/files-open.ts'
import { readWhole } from './host.ts'
import { isSnapshot, loadSnapshot } from './load.ts'
import type { Snapshot } from './types.ts'

/**
 * Opens and parses the snapshot at a path: a folder, or its archive.
 * Throws FileError if there is none (with what may have been meant). All of one of moderate size is read at once, and a damaged dump throws
 * ParseError whether or not a flow would come to it; of a large one (loadSnapshot) whoever comes to it.
 * `within` runs the reading of the dumps, which is one long stretch without a pause: where a time limit must break into it.
 */
export async function openSnapshot(
  path: string,
  within: (load: () => Snapshot) => Snapshot | Promise<Snapshot> = (load) => load(),
): Promise<Snapshot> {
  const source = await openSnapshotFiles(path)
  return within(() => {
    const snapshot = loadSnapshot(source)
    if (isModest(source)) for (const host of snapshot.hosts.values()) readWhole(host)
    return snapshot
  })
}

/** bytes */
const MODEST = 64 * 2 ** 20

/** Is it read whole in a moment? A file that is packed is taken to be ten times its size. */
function isModest({ files, size }: FileSource): boolean {
  let bytes = 0
  return files.every((name) => (bytes += size(name) * (name.endsWith('.gz') ? 10 : 1)) <= MODEST)
}

/** The files of the snapshot at a path, none of them parsed. Throws FileError if there is none. */
export async function openSnapshotFiles(path: string): Promise<FileSource> {
  const source = await openFiles(path)
  if (isSnapshot(source.files)) return source
  const below = source.files
    .flatMap((f) => /^(.+)\/snapshot\.json(?:\.gz)?$/.exec(f)?.[1] ?? [])
    .map((dir) => `${path.replace(/\/+$/, '')}/${dir}`)
  const above = snapshotAbove(path)
  const candidates = [...(above === undefined ? [] : [above]), ...below].slice(0, 5).map((dir) => `--snapshot ${dir}`)
  if (candidates.length === 0) candidates.push(`netctl collect --from ${path} -O snapshot, if tools' outputs are in it`)
  throw new FileError(path, 'no snapshot: there is neither snapshot.json nor a folder nodes/NAME with dumps', { candidates })
}
