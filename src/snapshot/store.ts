import { isAscii, isUtf8 } from 'node:buffer'
import { ParseError } from '../kernel/source.ts'
import { FileError, type FileSource, isForeign } from '../system/files.ts'

/**
 * The texts of a snapshot, read when asked for and kept until they are forgotten. Files are called by their stored name (`nodes/n1/iptables-save.txt.gz`) in evidence,
 * so that it can be found on disk; asking without the `.gz` works as well. Line numbers are those of the unpacked text.
 */
export interface Texts {
  readonly files: readonly string[]
  /** stored name of a file that may be gzipped; undefined if there is none */
  find(name: string): string | undefined
  has(name: string): boolean
  /** whole text; undefined if there is no such file */
  text(name: string): string | undefined
  /** line `n` (from 1) without its newline; '' if there is none */
  line(name: string, n: number): string
}

/** Texts that can be let go of. */
export interface Store extends Texts {
  /** characters of all texts that are kept */
  held(): number
  /** Lets go of all texts: they are read again when they are asked for. */
  forget(): void
}

/** Puts names on the files of a source; nothing is read yet. */
export function openStore(source: FileSource): Store {
  const files = source.files.filter((name) => !isForeign(name))
  const stored = new Map<string, string>()
  for (const name of files) {
    if (name.endsWith('.gz') && !stored.has(name.slice(0, -3))) stored.set(name.slice(0, -3), name)
    stored.set(name, name)
  }
  const texts = new Map<string, string>()
  const offsets = new Map<string, Uint32Array>()
  let held = 0

  const text = (name: string): string | undefined => {
    const file = stored.get(name)
    if (file === undefined) return undefined
    let known = texts.get(file)
    if (known === undefined) {
      known = decode(readBytes(source, file), file)
      texts.set(file, known)
      held += known.length
    }
    return known
  }

  return {
    files,
    find: (name) => stored.get(name),
    has: (name) => stored.has(name),
    text,
    line(name, n) {
      const whole = text(name)
      if (whole === undefined) return ''
      const file = stored.get(name) as string
      let starts = offsets.get(file)
      if (!starts) offsets.set(file, (starts = lineStarts(whole)))
      if (n < 1 || n > starts.length) return ''
      const start = starts[n - 1] as number
      const end = n < starts.length ? (starts[n] as number) - 1 : whole.endsWith('\n') ? whole.length - 1 : whole.length
      return whole.slice(start, Math.max(start, end))
    },
    held: () => held,
    forget() {
      texts.clear()
      offsets.clear()
      held = 0
    },
  }
}

function readBytes(source: FileSource, file: string): Buffer {
  try {
    return source.read(file)
  } catch (error) {
    // damage inside the snapshot is told like any damaged dump: file and line
    if (error instanceof FileError && error.inside) throw new ParseError(error.path, 1, error.message)
    throw error
  }
}

/** One byte a character where that is enough: half the memory, and faster to search. */
function decode(bytes: Buffer, file: string): string {
  const at = bytes.indexOf(0)
  if (at >= 0) throw new ParseError(file, lineOf(bytes, at), 'binary data (a NUL byte), where text was expected; take the dump again')
  if (isAscii(bytes)) return bytes.toString('latin1')
  if (!isUtf8(bytes))
    throw new ParseError(file, lineOf(bytes, firstInvalid(bytes)), 'binary data (not UTF-8), where text was expected; take the dump again')
  // a byte order mark is a habit of editors, not of the tools
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.toString('utf8', 3) : bytes.toString('utf8')
}

function lineOf(bytes: Buffer, at: number): number {
  let line = 1
  for (let i = bytes.indexOf(10); i >= 0 && i < at; i = bytes.indexOf(10, i + 1)) line++
  return line
}

function firstInvalid(bytes: Buffer): number {
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(10, start)
    const end = newline < 0 ? bytes.length : newline + 1
    if (!isUtf8(bytes.subarray(start, end))) return start
    start = end
  }
  return 0
}

function lineStarts(text: string): Uint32Array {
  let lines = 1
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) lines++
  const starts = new Uint32Array(text.endsWith('\n') ? lines - 1 : lines)
  let at = 0
  for (let n = 0; n < starts.length; n++) {
    starts[n] = at
    at = text.indexOf('\n', at) + 1
  }
  return starts
}
