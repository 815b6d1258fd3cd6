import { once } from 'node:events'
import {
  chmodSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { constants, createGzip, type Gzip } from 'node:zlib'
import { pack as tar } from 'tar-stream'
import { FileError } from './files.ts'
import { reason } from './files-folder.ts'
import { exitOnSignals, isLeaving } from './leaving.ts'
import { endsWithUs } from './with-us.ts'

/** A folder or archive that appears whole or not at all. */
export interface NewSnapshot {
  /** Writes one file of it, readable by its owner only. Names are relative, with `/`. Throws FileError. */
  write(name: string, bytes: Buffer | string): void
  /** Gives it its name. Throws FileError. */
  commit(): Promise<void>
  /** Leaves nothing. */
  abandon(): void
}

const ARCHIVE = /\.(?:tar\.gz|tgz)$/
/** a folder of such a name would be taken for one */
const OTHER_ARCHIVE = /(?:\.tar)?\.(?:tar|zip|gz|bz2|xz|zst|7z)$/

/**
 * Begins a snapshot at a path: an archive if it ends in .tar.gz or .tgz, else a folder. It grows in a hidden folder beside the path, which is taken away
 * if the process ends before `commit`, however it ends. Throws FileError if something is at the path already, nothing can be made there, or
 * it is called as another kind of archive.
 */
export function newSnapshot(path: string): NewSnapshot {
  const target = resolve(path)
  const refuse = (error: unknown): never => {
    throw new FileError(path, `can't be written: ${reason(error)}`, {
      advice: 'name another place; its folder has to be there, and yours to write to',
    })
  }
  const expectFree = (): void => {
    if (existsSync(target)) throw new FileError(path, 'is there already', { advice: 'name another place, or take it away first' })
  }
  const [ending] = ARCHIVE.test(target) ? [] : (OTHER_ARCHIVE.exec(target) ?? [])
  if (ending !== undefined)
    throw new FileError(path, `can't be written: ${ending} is no archive that netctl makes`, {
      advice: `${path.slice(0, -ending.length)}.tar.gz, or a name without an ending for a folder`,
    })
  expectFree()
  const growing = ((): string => {
    try {
      // mode 0700
      return mkdtempSync(join(dirname(target), `.${basename(target)}.netctl-`))
    } catch (error) {
      return refuse(error)
    }
  })()
  const content = join(growing, 'snapshot')
  mkdirSync(content, { mode: 0o700 })
  const release = endsWithUs(growing)
  const abandon = (): void => {
    rmSync(growing, { recursive: true, force: true })
    release()
  }
  process.once('exit', abandon)
  exitOnSignals()
  return {
    write(name, bytes) {
      try {
        mkdirSync(dirname(join(content, name)), { recursive: true, mode: 0o700 })
        writeFileSync(join(content, name), bytes, { mode: 0o600 })
      } catch (error) {
        refuse(error)
      }
    },
    async commit() {
      try {
        let made = content
        if (ARCHIVE.test(target)) await pack(content, (made = join(growing, 'archive')), basename(target).replace(ARCHIVE, ''))
        // ctrl-C was pressed, and what was made on nodes is being taken away
        if (isLeaving()) return await new Promise(() => {})
        expectFree()
        renameSync(made, target)
      } catch (error) {
        if (error instanceof FileError) throw error
        refuse(error)
      }
      abandon()
    },
    abandon,
  }
}

/** What is compressed already does not get smaller, and trying would take most of the time. */
const COMPRESSED = /\.gz$/

/** One file after the other, so that no more than one is held in memory. */
async function pack(folder: string, file: string, top: string): Promise<void> {
  const archive = tar()
  const out = createWriteStream(file, { mode: 0o600 })
  const done = finished(out)
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((e) =>
    e.isFile() ? [join(e.parentPath, e.name).slice(folder.length + 1)] : [],
  )
  let store = false
  const write = async (): Promise<void> => {
    const [compressed = [], rest = []] = [true, false].map((is) => names.filter((name) => COMPRESSED.test(name) === is).sort())
    for (const name of [...rest, ...compressed]) {
      store = COMPRESSED.test(name)
      const bytes = readFileSync(join(folder, name))
      await new Promise<void>((written, failed) => {
        archive.entry({ name: `${top || 'snapshot'}/${name}`, mode: 0o600 }, bytes, (error) => (error ? failed(error) : written()))
      })
    }
    archive.finalize()
  }
  // a disk that is full ends the one, and the others would wait for ever
  await Promise.all([write(), compress(archive, out, () => store), done])
  chmodSync(file, 0o600)
}

/** Members of gzip one after the other are one file (RFC 1952, 2.2); a new one begins where `store` changes, give or take a piece. */
async function compress(from: AsyncIterable<unknown>, out: Writable, store: () => boolean): Promise<void> {
  let stored = false
  const begin = (): Gzip => {
    const member = createGzip(stored ? { level: constants.Z_NO_COMPRESSION, chunkSize: 2 ** 20 } : {})
    member.pipe(out, { end: false })
    return member
  }
  const end = async (member: Gzip): Promise<void> => {
    member.end()
    await finished(member)
  }
  let member = begin()
  for await (const piece of from) {
    if (store() !== stored) {
      await end(member)
      stored = !stored
      member = begin()
    }
    if (!member.write(piece as Buffer)) await once(member, 'drain')
  }
  await end(member)
  out.end()
}
