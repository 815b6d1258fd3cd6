import { isUtf8 } from 'node:buffer'
import { type Dirent, existsSync, readdirSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { FileError, LIMITS } from './files.ts'
import { reason } from './files-folder.ts'
import { neighbours } from './files-open.ts'
import { readBytes } from './input.ts'

/** What lies at a path that should hold manifests. */
export interface ManifestFiles {
  /** as the user can find them, in the order of their names */
  readonly files: readonly string[]
  /** a folder may hold other things too; of a snapshot no files are listed: snapshot/open.ts reads it */
  readonly kind: 'file' | 'folder' | 'snapshot'
  /** what has the name of a manifest and was left out, with the reason */
  readonly left: readonly { readonly path: string; readonly why: string }[]
}

const MANIFEST = /\.(?:ya?ml|json)$/
const ARCHIVE = /\.(?:tar|tgz|tar\.gz)$/
const DEEPEST = 32

const isSnapshotFolder = (path: string): boolean =>
  existsSync(join(path, 'snapshot.json')) ||
  existsSync(join(path, 'snapshot.json.gz')) ||
  (existsSync(join(path, 'nodes')) && existsSync(join(path, 'cluster')))

/**
 * A file as it is, whatever its name; of a folder what ends in .yaml, .yml or .json, in all folders below it, as `kubectl apply -R -f` takes them. Hidden
 * files and folders, and links to folders, are left out. Throws FileError for what can't be read.
 */
export function findManifests(path: string): ManifestFiles {
  if (path === '-') return { files: [path], kind: 'file', left: [] }
  const folder = stat(path).isDirectory()
  if (folder ? isSnapshotFolder(path) : ARCHIVE.test(path)) return { files: [], kind: 'snapshot', left: [] }
  if (!folder) return { files: [path], kind: 'file', left: [] }
  const files: string[] = []
  const left: { path: string; why: string }[] = []
  let entries = 0
  const visit = (dir: string, depth: number): void => {
    for (const entry of list(dir).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const full = join(dir, entry.name)
      if (++entries > LIMITS.entries) throw new FileError(path, `more than ${LIMITS.entries} files: name the ones that are meant`)
      const hidden = entry.name.startsWith('.')
      if (entry.isDirectory()) {
        if (hidden || entry.name === 'node_modules') continue
        if (depth === DEEPEST) left.push({ path: full, why: `deeper than ${DEEPEST} folders` })
        else visit(full, depth + 1)
      } else if (MANIFEST.test(entry.name)) {
        if (hidden) left.push({ path: full, why: 'hidden' })
        else if (stat(full).isFile()) files.push(full)
        else left.push({ path: full, why: 'no file' })
      }
    }
  }
  visit(path, 0)
  return { files, kind: 'folder', left }
}

/** Text of a file, or of standard input for `-`, which must be UTF-8. Throws FileError. */
export function readManifestText(path: string): string {
  const bytes = readBytes(path)
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  if (utf16) throw new FileError(path, 'UTF-16, as PowerShell writes it: save it as UTF-8')
  if (bytes.includes(0) || !isUtf8(bytes)) throw new FileError(path, 'binary data, where UTF-8 text was expected')
  return bytes.toString('utf8')
}

function stat(path: string): Stats {
  try {
    return statSync(path)
  } catch (error) {
    throw new FileError(path, reason(error), { candidates: neighbours(path) })
  }
}

function list(dir: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
  } catch (error) {
    throw new FileError(dir, reason(error))
  }
}

/** Whether there is anything at a path. */
export const exists = (path: string): boolean => existsSync(path)
