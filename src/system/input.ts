import { readFileSync, readSync } from 'node:fs'
import { FileError } from './files.ts'
import { reason } from './files-folder.ts'

/** Text of a file, or of standard input for `-`. Throws FileError. */
export function readInput(path: string): string {
  return readBytes(path).toString('utf8')
}

/** Bytes of a file, or of standard input for `-`. Throws FileError. */
export function readBytes(path: string): Buffer {
  try {
    return path === '-' ? readStdin() : readFileSync(path)
  } catch (error) {
    throw new FileError(path, reason(error))
  }
}

/** how long to wait for a writer that is slower than us, in ms */
const pause = 2

/**
 * Whoever has looked at `process.stdin` has made the pipe non-blocking (libuv), so a read before the writer has written says
 * EAGAIN instead of waiting.
 */
function readStdin(): Buffer {
  const chunks: Buffer[] = []
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  for (;;) {
    const chunk = Buffer.allocUnsafe(2 ** 16)
    try {
      const read = readSync(0, chunk)
      if (read === 0) return Buffer.concat(chunks)
      chunks.push(chunk.subarray(0, read))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(sleeper, 0, 0, pause)
    }
  }
}
