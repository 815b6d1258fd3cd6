import { closeSync, existsSync, openSync, readdirSync, readSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { nearest } from '../nearest.ts'
import { FileError, type FileSource, LIMITS, type Limits } from './files.ts'
import { openFolder, reason } from './files-folder.ts'

/** The files at a path: of a folder, or of a `.tar`, `.tar.gz` or `.tgz` (told by its first bytes, not its name). */
export async function openFiles(path: string, limits: Limits = LIMITS): Promise<FileSource> {
  let stat: Stats
  try {
    stat = statSync(path)
  } catch (error) {
    throw new FileError(path, reason(error), { candidates: neighbours(path).map((name) => `--snapshot ${name}`) })
  }
  if (stat.isDirectory()) return openFolder(path, limits)
  if (!stat.isFile()) throw new FileError(path, 'neither a folder nor an archive')
  const start = firstBytes(path)
  const gzip = start[0] === 0x1f && start[1] === 0x8b
  // POSIX and GNU archives both have this word at byte 257
  if (!gzip && start.toString('latin1', 257, 262) !== 'ustar') throw new FileError(path, 'neither a folder nor a .tar or .tar.gz')
  // folders need none of this
  const { openArchive } = await import('./files-archive.ts')
  return openArchive(path, { gzip, size: stat.size }, limits)
}

function firstBytes(path: string): Buffer {
  const bytes = Buffer.alloc(512)
  try {
    const fd = openSync(path, 'r')
    try {
      return bytes.subarray(0, readSync(fd, bytes, 0, 512, 0))
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    throw new FileError(path, reason(error))
  }
}

/** What lies beside a path that does not exist and is called nearly so. */
export function neighbours(path: string): readonly string[] {
  try {
    const dir = dirname(path)
    return nearest(basename(path), readdirSync(dir)).map((name) => join(dir, name))
  } catch {
    return []
  }
}

/** The folder above a path that has snapshot.json: somebody named a part of a snapshot. */
export function snapshotAbove(path: string): string | undefined {
  for (let dir = dirname(resolve(path)), i = 0; i < 3; dir = dirname(dir), i++) {
    if (existsSync(join(dir, 'snapshot.json'))) return dir
  }
  return undefined
}
