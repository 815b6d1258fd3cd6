import { FileError, type FileSource } from '../system/files.ts'
import { openFiles, snapshotAbove } from '../system/files-open.ts'
import { isSnapshot, loadSnapshot } from './load.ts'
import type { Snapshot } from './types.ts'

/**
 * Opens and parses the snapshot at a path: a folder, or its archive.
 * Throws FileError if there is none (with what may have been meant), ParseError if a dump in it is damaged.
 * `within` runs the reading of the dumps, which is one long stretch without a pause: where a time limit must break into it.
 */
export async function openSnapshot(
  path: string,
  within: (load: () => Snapshot) => Snapshot | Promise<Snapshot> = (load) => load(),
): Promise<Snapshot> {
  const source = await openSnapshotFiles(path)
  return within(() => loadSnapshot(source))
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
