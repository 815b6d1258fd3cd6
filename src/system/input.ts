import { readFileSync } from 'node:fs'
import { FileError } from './files.ts'
import { reason } from './files-folder.ts'

/** Text of a file, or of standard input for `-`. Throws FileError. */
export function readInput(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (error) {
    throw new FileError(path, reason(error))
  }
}

/** Bytes of a file. Throws FileError. */
export function readBytes(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new FileError(path, reason(error))
  }
}
