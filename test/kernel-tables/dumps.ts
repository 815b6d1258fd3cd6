/** Recorded dumps by file name, gzipped or not. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { captures } from '../support/captures.ts'

export function dumps(name: string): readonly { readonly file: string; readonly text: string }[] {
  return globSync(`*/{nodes,pods,external}/*/${name}{,.gz}`, { cwd: captures }).map((file) => ({ file, text: dump(file) }))
}

export function dump(file: string): string {
  const bytes = readFileSync(join(captures, file))
  return file.endsWith('.gz') ? gunzipSync(bytes).toString() : bytes.toString()
}
