/** What was read a moment ago, kept in the user's cache folder for the next question. Nothing here ever fails: without a cache, things are read again. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { crc32 } from 'node:zlib'

/** A few facts and some files. */
export interface CacheEntry {
  /** JSON */
  readonly about: unknown
  readonly files: ReadonlyMap<string, Buffer>
}

export interface Cache {
  /** undefined if there is none, or it is not what was written */
  read(name: string): CacheEntry | undefined
  /** Appears whole or not at all. `name`: of letters, digits, `.` and `-`, one `/` for a folder; another is not kept. */
  write(name: string, entry: CacheEntry): void
}

/** Folder of the user's caches (XDG Base Directory Specification): XDG_CACHE_HOME, else ~/.cache. */
export function cacheHome(env: NodeJS.ProcessEnv = process.env): string {
  const said = env.XDG_CACHE_HOME
  return join(said !== undefined && isAbsolute(said) ? said : join(homedir(), '.cache'), 'netctl')
}

/** names may come from a cluster: none leads out of its folder */
const PLAIN = /^(?:[A-Za-z0-9][A-Za-z0-9.-]*\/)?[A-Za-z0-9][A-Za-z0-9.-]*$/
const LARGEST = 2 ** 30
const HEAD = 16 * 2 ** 20

/**
 * The entries of one key in a folder; for their owner only. All that are older than `keepMs` are taken away, those of other keys too. A folder that
 * is somebody else's is not used (sudo keeps HOME).
 */
export function openCache(folder: string, key: string, keepMs: number): Cache {
  if (!own(folder)) return { read: () => undefined, write: () => undefined }
  prune(folder, Date.now() - keepMs)
  const at = (name: string): string => join(folder, key, name)
  return {
    read(name) {
      try {
        return PLAIN.test(name) ? parse(readOwn(at(name))) : undefined
      } catch {
        return undefined
      }
    },
    write(name, { about, files }) {
      const body = Buffer.concat([...files.values()])
      const head = JSON.stringify({ about, crc: crc32(body), files: [...files].map(([file, bytes]) => [file, bytes.length]) })
      if (body.length + head.length > LARGEST || head.length > HEAD || !PLAIN.test(name)) return
      const growing = join(folder, `.${process.pid}-${randomBytes(6).toString('hex')}`)
      try {
        mkdirSync(dirname(at(name)), { recursive: true, mode: 0o700 })
        writeFileSync(growing, Buffer.concat([Buffer.from(`${head}\n`), body]), { mode: 0o600, flag: 'wx' })
        renameSync(growing, at(name))
      } catch {
        rmSync(growing, { force: true })
      }
    },
  }
}

/** Makes the folder, if it is not there; is it ours alone? */
function own(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const found = lstatSync(folder)
    return found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0
  } catch {
    return false
  }
}

function readOwn(path: string): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const found = fstatSync(file)
    if (!found.isFile() || found.uid !== process.getuid?.() || found.size > LARGEST) throw new Error('not ours')
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

function parse(bytes: Buffer): CacheEntry | undefined {
  const newline = bytes.subarray(0, HEAD + 1).indexOf(10)
  if (newline < 0) return undefined
  const head: unknown = JSON.parse(bytes.toString('utf8', 0, newline))
  const body = bytes.subarray(newline + 1)
  const { about, crc, files: listed } = head as { about: unknown; crc: unknown; files: unknown }
  if (!Array.isArray(listed) || crc !== crc32(body)) return undefined
  const files = new Map<string, Buffer>()
  let end = 0
  for (const [name, size] of listed as readonly (readonly [unknown, unknown])[]) {
    if (typeof name !== 'string' || !Number.isInteger(size) || (size as number) < 0) return undefined
    files.set(name, body.subarray(end, (end += size as number)))
  }
  return end === body.length ? { about, files } : undefined
}

/** Takes away what was written before `since`, and folders that have nothing left. */
function prune(folder: string, since: number): void {
  for (const entry of list(folder)) {
    const path = join(folder, entry.name)
    try {
      if (!entry.isDirectory()) {
        if (lstatSync(path).mtimeMs < since) rmSync(path, { force: true })
        continue
      }
      prune(path, since)
      if (list(path).length === 0) rmdirSync(path)
    } catch {
      // another netctl is at it as well
    }
  }
}

function list(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}
