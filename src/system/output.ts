import { writeFileSync } from 'node:fs'
import { FileError } from './files.ts'
import { reason } from './files-folder.ts'

/** Writes a text to a file, in place of what it held. Throws FileError. */
export function writeOutput(path: string, text: string): void {
  try {
    writeFileSync(path, text)
  } catch (error) {
    throw new FileError(path, `can't be written: ${reason(error)}`)
  }
}
