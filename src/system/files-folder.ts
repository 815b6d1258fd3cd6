import { type Dirent, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { FileError, type FileSource, isForeign, LIMITS, type Limits } from './files.ts'
import { Budget, inflate } from './files-inflate.ts'

/** Folders that a snapshot never has and that can be huge; and those that netctl must not look into. */
const skipped = (name: string): boolean => name === '.git' || name === 'node_modules' || isForeign(name)

/**
 * The files below a folder. Read synchronously: a snapshot is a hundred small files, and a promise for each costs more than the read.
 * Links that stay inside are followed; others are refused when they are read, as are devices and pipes (reading one could hang).
 */
export function openFolder(path: string, limits: Limits = LIMITS): FileSource {
  const root = realpathSync(path)
  const odd = new Map<string, string>()
  const files: string[] = []
  let entries = 0
  const visit = (dir: string, depth: number): void => {
    let list: Dirent[]
    try {
      list = readdirSync(join(root, dir), { withFileTypes: true })
    } catch (error) {
      throw new FileError(join(path, dir), reason(error))
    }
    for (const entry of list) {
      const name = dir === '' ? entry.name : `${dir}/${entry.name}`
      if (skipped(entry.name)) continue
      if (++entries > limits.entries) throw new FileError(path, `more than ${limits.entries} files: this is no snapshot`)
      if (entry.isDirectory()) {
        // a snapshot is three levels deep
        if (depth < 8) visit(name, depth + 1)
      } else {
        if (!entry.isFile()) odd.set(name, entry.isSymbolicLink() ? 'link' : 'neither a file nor a folder')
        files.push(name)
      }
    }
  }
  visit('', 0)
  files.sort()
  const budget = new Budget(limits)
  return {
    name: path,
    files,
    read(name) {
      const full = join(root, name)
      try {
        if (odd.has(name)) refuseOdd(root, full, name, odd.get(name) as string)
        const { size } = statSync(full)
        if (size > limits.file) budget.take(name, size)
        const bytes = readFileSync(full)
        if (name.endsWith('.gz')) return inflate(name, bytes, budget)
        budget.take(name, bytes.length)
        return bytes
      } catch (error) {
        if (error instanceof FileError) throw error
        throw new FileError(name, reason(error), { inside: true })
      }
    },
    size: (name) => statSync(join(root, name), { throwIfNoEntry: false })?.size ?? 0,
  }
}

function refuseOdd(root: string, full: string, name: string, what: string): void {
  if (what !== 'link') throw new FileError(name, what, { inside: true })
  const target = realpathSync(full)
  if (!target.startsWith(root + sep)) throw new FileError(name, 'a link that leads outside the snapshot: refused', { inside: true })
  if (isForeign(target)) throw new FileError(name, 'a link to a file that is no part of a snapshot: refused', { inside: true })
  if (!statSync(target).isFile()) throw new FileError(name, 'a link to something that is not a file: refused', { inside: true })
}

/** What went wrong with a file, in words. */
export function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  switch (code) {
    case 'ENOENT':
      return 'no such file or folder'
    case 'EACCES':
    case 'EPERM':
      return 'permission denied'
    case 'EISDIR':
      return 'a folder, where a file was expected'
    case 'ENOTDIR':
      return 'a file, where a folder was expected'
    case 'ELOOP':
      return 'a link that leads to itself'
    case 'EMFILE':
    case 'ENFILE':
      return 'too many open files'
    default:
      return code ?? message
  }
}
