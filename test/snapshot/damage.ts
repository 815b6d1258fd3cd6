/** Ways to damage a snapshot, for tests: the example in memory, with files replaced. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ParseError } from '../../src/kernel/source.ts'
import { readWhole } from '../../src/snapshot/host.ts'
import { loadSnapshot } from '../../src/snapshot/load.ts'
import type { Snapshot } from '../../src/snapshot/types.ts'
import type { FileSource } from '../../src/system/files.ts'
import { openFolder } from '../../src/system/files-folder.ts'
import { memoryFiles } from '../../src/system/files-memory.ts'
import { root } from '../support/needs.ts'

export const example = join(root, 'examples/shop')

/** All files of a folder, as they are stored. */
export function filesOf(folder: string): ReadonlyMap<string, Buffer> {
  return new Map(openFolder(folder).files.map((name) => [name, readFileSync(join(folder, name))]))
}

/** A source with some files replaced, or taken away (undefined). */
export function withFiles(files: ReadonlyMap<string, Buffer>, changes: Readonly<Record<string, string | Buffer | undefined>>): FileSource {
  const all = new Map<string, Buffer | string>(files)
  for (const [name, content] of Object.entries(changes)) {
    if (content === undefined) all.delete(name)
    else all.set(name, content)
  }
  return memoryFiles('damaged', all)
}

/** A source that notes what is read. */
export function spied(source: FileSource): { readonly source: FileSource; readonly read: Set<string> } {
  const read = new Set<string>()
  return {
    read,
    source: {
      ...source,
      read(name) {
        read.add(name)
        return source.read(name)
      },
    },
  }
}

/** Everything that is parsed when first asked for, asked for. */
export function touchAll(snapshot: Snapshot): void {
  const { pods, nodes, services, endpointSlices, ipPools, ipamBlocks, policies, hostEndpoints, workloads } = snapshot.cluster
  for (const slice of endpointSlices) void slice.endpoints
  void [pods, nodes, services, ipPools, ipamBlocks, policies, hostEndpoints, workloads]
  for (const host of snapshot.hosts.values()) {
    readWhole(host)
    void host.conntrack?.entries
  }
}

/** The ParseError that loading ends in; undefined if it loads; anything else thrown is a bug and goes on up. */
export function damageIn(source: FileSource): ParseError | undefined {
  try {
    touchAll(loadSnapshot(source))
    return undefined
  } catch (error) {
    if (error instanceof ParseError) return error
    throw error
  }
}
