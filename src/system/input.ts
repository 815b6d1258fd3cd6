import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { NetctlError } from '../error.ts'
import { FileError } from './files.ts'
import { reason } from './files-folder.ts'
import { megabytes } from './files-inflate.ts'

/** Text of a file, or of standard input for `-`. Throws FileError. */
export function readInput(path: string): string {
  return readBytes(path).toString('utf8')
}

/** More is no text that V8 can hold. */
const LARGEST = 500 * 2 ** 20

let stdinIsRead = false

/** Bytes of a file, a pipe, or of standard input for `-`, which can be named only once (USE011). Throws FileError. */
export function readBytes(path: string): Buffer {
  if (path === '-') {
    if (stdinIsRead)
      throw new NetctlError({ code: 'USE011', message: 'standard input can be read only once', try: 'name - once, and files for the rest' })
    stdinIsRead = true
  }
  try {
    const fd = path === '-' ? 0 : openSync(path, 'r')
    try {
      const stat = fstatSync(fd)
      if (!stat.isFile()) return readStream(fd)
      return stat.size > LARGEST ? tooLarge() : readFileSync(fd)
    } finally {
      if (fd !== 0) closeSync(fd)
    }
  } catch (error) {
    throw new FileError(path, error instanceof RangeError ? error.message : reason(error))
  }
}

function tooLarge(): never {
  throw new RangeError(`larger than ${megabytes(LARGEST)}`)
}

/** how long to wait for a writer that is slower than us, in ms */
const pause = 2

/**
 * Piece by piece: a pipe or a device does not say how much it has, and may never end. Whoever has looked at `process.stdin` has made the pipe
 * non-blocking (libuv), so a read before the writer has written says EAGAIN instead of waiting.
 */
function readStream(fd: number): Buffer {
  const chunks: Buffer[] = []
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  for (let size = 0; ; ) {
    const chunk = Buffer.allocUnsafe(2 ** 16)
    try {
      const read = readSync(fd, chunk)
      if (read === 0) return Buffer.concat(chunks)
      if ((size += read) > LARGEST) tooLarge()
      chunks.push(chunk.subarray(0, read))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(sleeper, 0, 0, pause)
    }
  }
}
