import { ExitCode, NetctlError } from '../error.ts'
import { type Collected, readNodeLine } from '../report/collected.ts'
import { headerOf, readNodes } from '../snapshot/collect/collect.ts'
import type { ReadNode } from '../snapshot/types.ts'
import { newSnapshot } from '../system/new-snapshot.ts'
import { type AddedObjects, addObjects, strangers } from './collected-objects.ts'
import { nodesToRead, type WhichNodes } from './nodes-to-read.ts'

/** What `netctl collect` was asked for. */
export interface Asked extends WhichNodes {
  readonly context?: string | undefined
  readonly kubeconfig?: string | undefined
  /** where the snapshot goes */
  readonly out?: string | undefined
  /** for each node, in milliseconds */
  readonly timeout: number
}

export interface Around {
  /** text of bin/collect-node.sh */
  readonly script: string
  /** of netctl */
  readonly version: string
  /** progress */
  readonly tell: (text: string) => void
}

/** Takes a snapshot. Throws NetctlError COL001, COL002, USE005, KUB001 to KUB007, and FileError. */
export async function collect(asked: Asked, { script, version, tell }: Around): Promise<Collected> {
  const nodes = nodesToRead(asked)
  const takenAt = new Date().toISOString()
  const path = asked.out ?? `netctl-${takenAt.slice(0, 19).replace(/\D/g, '')}.tar.gz`
  const into = newSnapshot(path)
  let count = 0
  const done = (node: ReadNode): void => tell(`${++count}/${nodes.length}  ${readNodeLine(node)}`)
  const [objects, read] = await Promise.all([
    addObjects(into, asked, nodes.length > 0, tell),
    readNodes(nodes, { script, patienceMs: asked.timeout, into, done }),
  ])
  const missing = [...objects.missing, ...strangers(objects, read), ...read.flatMap((n) => n.missing)]
  if (objects.count === undefined && read.every((n) => n.node === undefined)) throw nothingRead(missing)
  into.write('snapshot.json', headerOf({ takenAt, source: sourceOf(objects, asked), version, missing }))
  await into.commit()
  return { path, nodes: read, objects: objects.count, missing }
}

/** How a snapshot was taken, as snapshot.json says it. */
const sourceOf = ({ count, context }: AddedObjects, { local, ssh }: WhichNodes): string =>
  ['netctl collect', count !== undefined && `--context ${context}`, local && '--local', ssh && '--ssh'].filter(Boolean).join(' ')

const nothingRead = (missing: readonly string[]): NetctlError =>
  new NetctlError({
    code: 'COL002',
    message: 'nothing could be read, and no snapshot was written',
    have: missing,
    try: 'ssh HOST true, or netctl collect --local on the node itself',
    exitCode: ExitCode.unknown,
  })
