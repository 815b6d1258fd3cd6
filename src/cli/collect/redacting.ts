import { randomBytes } from 'node:crypto'
import { redact } from '../../snapshot/redact/redact.ts'
import { memoryFiles } from '../../system/files-memory.ts'
import { type NewSnapshot, newSnapshot } from '../../system/new-snapshot.ts'

/** What had to be left out, once it is committed. */
type WithLeftOut = NewSnapshot & { readonly leftOut: readonly string[] }

/** Begins a snapshot at a path; with `redact`, one that tells no names and addresses. Throws FileError. */
export const beginSnapshot = (path: string, redact = false): WithLeftOut =>
  redact ? redacting(newSnapshot(path), path) : { ...newSnapshot(path), leftOut: [] }

/**
 * A snapshot whose names and addresses are replaced before anything of it is written: until it is committed it is held in memory, since what the
 * first file names may stand in the last one.
 */
export function redacting(into: NewSnapshot, name: string): WithLeftOut {
  const held = new Map<string, Buffer>()
  const leftOut: string[] = []
  return {
    leftOut,
    write: (file, bytes) => {
      held.set(file, Buffer.from(bytes))
    },
    async commit() {
      // the secret ends with the process: nobody can tell what was there
      const { files, missing } = redact(memoryFiles(name, held), randomBytes(32))
      for (const [file, text] of files) into.write(file, text)
      leftOut.push(...missing)
      await into.commit()
    },
    abandon: () => into.abandon(),
  }
}
