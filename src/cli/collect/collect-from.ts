import { NetctlError } from '../../error.ts'
import type { Collected } from '../../report/collected.ts'
import { headerOf } from '../../snapshot/collect/collect.ts'
import { isSnapshot } from '../../snapshot/load.ts'
import { assemble } from '../../snapshot/loose/assemble.ts'
import { keptOf } from '../../snapshot/loose/kept.ts'
import type { ReadNode } from '../../snapshot/types.ts'
import { type FileSource, isForeign } from '../../system/files.ts'
import { openFiles } from '../../system/files-open.ts'
import { pathOf } from './collecting.ts'
import { beginSnapshot } from './redacting.ts'

/** What `netctl collect --from` was asked for. */
export interface AskedFrom {
  /** a snapshot that there is, or a folder of what tools printed; or the archive of one */
  readonly from: string
  readonly out?: string | undefined
  readonly redact?: boolean | undefined
  /** of netctl */
  readonly version: string
}

/** Makes a snapshot of what is recorded already. Throws NetctlError COL004, FileError, ParseError. */
export async function collectFrom({ from, out, redact, version }: AskedFrom): Promise<Collected> {
  const source = await openFiles(from)
  const path = out ?? pathOf(new Date().toISOString())
  const { files, objects, missing } = isSnapshot(source.files) ? asItIs(source) : assembled(source, version)
  const into = beginSnapshot(path, redact)
  const sizes = new Map<string, number>()
  for (const [file, bytes] of files) {
    sizes.set(file, Buffer.byteLength(bytes))
    into.write(file, bytes)
  }
  await into.commit()
  return { path, nodes: nodesIn(sizes), pods: podsIn(sizes), objects, missing: [...missing, ...into.leftOut] }
}

interface Recorded {
  readonly files: Iterable<readonly [name: string, bytes: Buffer | string]>
  readonly objects: number | undefined
  readonly missing: readonly string[]
}

function asItIs(source: FileSource): Recorded {
  const missing: string[] = []
  function* files(): Iterable<readonly [string, Buffer | string]> {
    for (const file of source.files) {
      if (isForeign(file)) continue
      const name = file.replace(/\.gz$/, '')
      const kept = keptOf(name, source.read(file))
      if (kept === undefined) missing.push(`${name}: left out, as a snapshot keeps no such objects`)
      else yield [name, kept]
    }
  }
  return { files: files(), objects: undefined, missing }
}

function assembled(source: FileSource, version: string): Recorded {
  const { files, objects, leftOut, beginnings } = assemble(source)
  const told = leftOut.map((what) => (beginnings.has(what) ? `${what}: “${beginnings.get(what)}”` : what))
  if (files.size === 0) throw nothingFound(source.name, told)
  const header = headerOf({ source: 'netctl collect --from', version, missing: leftOut })
  return { files: [...files, ['snapshot.json', header]], objects, missing: told }
}

const nothingFound = (path: string, leftOut: readonly string[]): NetctlError =>
  new NetctlError({
    code: 'COL004',
    message: `${path}: nothing in it is what iptables-save, nft, ipset, ip, sysctl, conntrack, ss, ipvsadm, wg or kubectl get -o json print`,
    have: leftOut,
    try: 'ip -j addr > FOLDER/NODE/ip-addr.json and its like, or netctl collect',
  })

const podsIn = (sizes: ReadonlyMap<string, number>): number =>
  new Set([...sizes.keys()].flatMap((file) => /^pods\/([^/]+)\//.exec(file)?.[1] ?? [])).size

/** The nodes among the files of a snapshot, by their sizes. Whose its pods are is not looked into. */
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
