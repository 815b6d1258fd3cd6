import { gunzipSync } from 'node:zlib'
import { FileError, type Limits } from './files.ts'

/** Size in words for error messages. */
export const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`

/** Adds up what files come to, so that many small ones can't do what one large may not. A file that is read again counts once. */
export class Budget {
  readonly #limits: Limits
  readonly #sizes = new Map<string, number>()
  #used = 0
  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** Counts a file that was read. */
  take(name: string, bytes: number): void {
    if (bytes > this.#limits.file) throw new FileError(name, `larger than ${megabytes(this.#limits.file)}`, { inside: true })
    this.#used += bytes - (this.#sizes.get(name) ?? 0)
    this.#sizes.set(name, bytes)
    if (this.#used > this.#limits.total)
      throw new FileError(name, `the files together are larger than ${megabytes(this.#limits.total)}`, { inside: true })
  }

  /** Largest size that `packed` bytes of a file may unpack to. */
  most(name: string, packed: number): number {
    const left = this.#limits.total - this.#used + (this.#sizes.get(name) ?? 0)
    return Math.max(1, Math.min(this.#limits.file, left, Math.max(this.#limits.ratioFrom, packed * this.#limits.ratio)))
  }
}

/** Unpacks a gzip file of a snapshot within the limits. */
export function inflate(name: string, packed: Buffer, budget: Budget): Buffer {
  if (packed.length === 0) throw new FileError(name, 'empty: not even a gzip header; take it again or delete the file', { inside: true })
  const most = budget.most(name, packed.length)
  try {
    // one output buffer of the size that the trailer promises (RFC 1952 ISIZE) saves joining many; it is only a hint, and may lie
    const promised = packed.length >= 18 ? packed.readUInt32LE(packed.length - 4) : 0
    const chunkSize = Math.max(16 * 1024, Math.min(promised + 64, 64 * 2 ** 20))
    const bytes = gunzipSync(packed, { maxOutputLength: most, chunkSize })
    budget.take(name, bytes.length)
    return bytes
  } catch (error) {
    if (error instanceof FileError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ERR_BUFFER_TOO_LARGE')
      throw new FileError(name, `unpacks to more than ${megabytes(most)} from ${packed.length} bytes: refused`, { inside: true })
    throw new FileError(name, `damaged gzip data (${code === 'Z_BUF_ERROR' ? 'it ends too early' : (error as Error).message})`, {
      inside: true,
    })
  }
}
