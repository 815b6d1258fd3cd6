import type { Collected } from '../report/collected.ts'
import { openSnapshotFiles } from '../snapshot/open.ts'
import type { ReadNode } from '../snapshot/types.ts'
import { isForeign } from '../system/files.ts'
import { newSnapshot } from '../system/new-snapshot.ts'
import { pathOf } from './collecting.ts'
import { redacting } from './redacting.ts'

/** What `netctl collect --from` was asked for. */
export interface AskedFrom {
  /** a snapshot that there is */
  readonly from: string
  readonly out?: string | undefined
  readonly redact?: boolean | undefined
}

/** Makes a snapshot of what is recorded already. Throws FileError, ParseError. */
export async function collectFrom(asked: AskedFrom): Promise<Collected> {
  const source = await openSnapshotFiles(asked.from)
  const path = asked.out ?? pathOf(new Date().toISOString())
  const into = asked.redact ? redacting(newSnapshot(path), path) : { ...newSnapshot(path), leftOut: [] }
  const sizes = new Map<string, number>()
  for (const file of source.files.filter((f) => !isForeign(f))) {
    const bytes = source.read(file)
    sizes.set(file, bytes.length)
    into.write(file.replace(/\.gz$/, ''), bytes)
  }
  await into.commit()
  return { path, nodes: nodesIn(sizes), objects: undefined, missing: into.leftOut }
}

/** The nodes among files of a snapshot, by the sizes of their files. Whose pods are is not looked into. */
function nodesIn(sizes: ReadonlyMap<string, number>): readonly ReadNode[] {
  const nodes = new Map<string, { files: number; bytes: number }>()
  for (const [file, size] of sizes) {
    const node = /^nodes\/([^/]+)\//.exec(file)?.[1]
    if (node === undefined) continue
    const { files, bytes } = nodes.get(node) ?? { files: 0, bytes: 0 }
    nodes.set(node, { files: files + 1, bytes: bytes + size })
  }
  return [...nodes].map(([node, { files, bytes }]) => ({ label: node, node, files, pods: 0, bytes, missing: [] }))
}
