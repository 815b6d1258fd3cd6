/** Recorded clusters with a fault put in: what a test changes is written over the files of the recording, in memory. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { loadSnapshot } from '../../../src/snapshot/load.ts'
import type { Snapshot } from '../../../src/snapshot/types.ts'
import { openFolder } from '../../../src/system/files-folder.ts'
import { memoryFiles } from '../../../src/system/files-memory.ts'
import { captures } from '../../support/captures.ts'

export interface Recording {
  text(file: string): string
  /** the file with every line left out that `drop` says, of which there must be one */
  without(file: string, drop: (line: string) => boolean): Changes
  /** the entries of a JSON array, those left out for which `change` gives undefined */
  entries(file: string, change: (entry: Entry) => Entry | undefined): Changes
  /** the recording with these files in place of its own */
  load(...changes: readonly Changes[]): Snapshot
}

/** whole files by name; undefined takes one away */
export type Changes = Readonly<Record<string, string | undefined>>

export type Entry = Readonly<Record<string, unknown>>

export function recording(name: string): Recording {
  const folder = join(captures, name)
  // read when first asked for: where there are no recordings, tests are skipped, but told apart before that
  let read: ReadonlyMap<string, Buffer> | undefined
  const all = () => (read ??= new Map(openFolder(folder).files.map((f) => [f, readFileSync(join(folder, f))])))
  const text = (file: string): string => {
    const files = all()
    const found = files.get(file) ?? files.get(`${file}.gz`)
    if (!found) throw new Error(`${name} has no ${file}`)
    return (files.has(file) ? found : gunzipSync(found)).toString('utf8')
  }
  const changed = (file: string, now: string): Changes => {
    if (now === text(file)) throw new Error(`nothing was changed in ${file}`)
    return { [file]: now }
  }
  return {
    text,
    without: (file, drop) =>
      changed(
        file,
        text(file)
          .split('\n')
          .filter((l) => !drop(l))
          .join('\n'),
      ),
    entries: (file, change) => changed(file, JSON.stringify((JSON.parse(text(file)) as Entry[]).flatMap((e) => change(e) ?? []))),
    load(...changes) {
      const now = new Map<string, Buffer | string>(all())
      for (const [file, text] of changes.flatMap((c) => Object.entries(c))) {
        now.delete(`${file}.gz`)
        now.delete(file)
        if (text !== undefined) now.set(file, text)
      }
      return loadSnapshot(memoryFiles(name, now))
    },
  }
}

/** A device that went down, and with it its routes (fib_sync_down_dev): the changes of one node's dumps. */
export function deviceDown(r: Recording, node: string, device: string): readonly Changes[] {
  const down = (e: Entry): Entry =>
    e.ifname === device ? { ...e, flags: (e.flags as string[]).filter((f) => f !== 'UP' && f !== 'LOWER_UP'), operstate: 'DOWN' } : e
  return [
    r.entries(`nodes/${node}/ip-addr.json`, down),
    r.entries(`nodes/${node}/ip-link.json`, down),
    r.entries(`nodes/${node}/ip-route.json`, (e) => (e.dev === device && e.type === undefined ? undefined : e)),
  ]
}
