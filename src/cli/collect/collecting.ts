import { ExitCode, NetctlError } from '../../error.ts'
import type { Via } from '../../kube/open-way.ts'
import { type Collected, readNodeLine } from '../../report/collected.ts'
import { headerOf, nodesBy, readNodes } from '../../snapshot/collect/collect.ts'
import type { ReadNode } from '../../snapshot/types.ts'
import type { Way } from '../../system/way.ts'
import { type AddedObjects, addObjects, strangers } from './collected-objects.ts'
import { type ByApi, nodesByApi } from './nodes-by-api.ts'
import { nodesToRead, type WhichNodes } from './nodes-to-read.ts'
import { beginSnapshot } from './redacting.ts'

/** What `netctl collect` was asked for. */
export interface Asked extends WhichNodes, Omit<ByApi, 'via'> {
  readonly via: Via | 'none'
  /** where the snapshot goes */
  readonly out?: string | undefined
  /** names and addresses are replaced */
  readonly redact?: boolean | undefined
}

export interface Around {
  /** the collector: `collectorText` */
  readonly script: string
  /** of netctl */
  readonly version: string
  /** progress */
  readonly tell: (text: string) => void
  /** what must be known: which way was chosen, what is left */
  readonly say: (text: string) => void
  /** may pods be made? */
  readonly consent: (plan: readonly string[]) => Promise<boolean>
}

/** Takes a snapshot. Throws NetctlError COL001, COL002, USE005, KUB001 to KUB007, and FileError. */
export async function collect(asked: Asked, around: Around): Promise<Collected> {
  const named = nodesToRead(asked)
  const takenAt = new Date().toISOString()
  const path = asked.out ?? pathOf(takenAt)
  const into = beginSnapshot(path, asked.redact)
  const { names, way, missing } = named.length > 0 || asked.via === 'none' ? NO_WAY : await nodesByApi({ ...asked, via: asked.via }, around)
  const nodes = way ? nodesBy(way, names) : named
  let count = 0
  const done = (node: ReadNode): void => {
    around.tell(`${++count}/${nodes.length}  ${readNodeLine(node)}`)
    void way?.leave(node.label)
  }
  const listed = addObjects(into, asked, { elsewhere: named.length > 0, withNodes: nodes.length > 0 }, around.tell)
  const podNames = async () => (await listed).pods
  const [objects, read] = await Promise.all([
    listed,
    readNodes(nodes, { script: around.script, patienceMs: asked.timeout, into, done, podNames }),
  ]).finally(async () => {
    for (const left of (await way?.close()) ?? []) around.say(left)
  })
  const lacking = [...missing, ...objects.missing, ...strangers(objects, read), ...read.flatMap((n) => n.missing)]
  if (objects.count === undefined && read.every((n) => n.node === undefined)) throw nothingRead(lacking)
  into.write('snapshot.json', headerOf({ takenAt, source: sourceOf(objects, asked, way), version: around.version, missing: lacking }))
  await into.commit()
  return { path, nodes: read, objects: objects.count, missing: [...lacking, ...into.leftOut] }
}

/** What a snapshot of this time is called if nobody said it. */
export const pathOf = (takenAt: string): string => `netctl-${takenAt.slice(0, 19).replace(/\D/g, '')}.tar.gz`

const NO_WAY = { names: [], way: undefined, missing: [] }

/** How a snapshot was taken, as snapshot.json says it. */
const sourceOf = ({ count, context }: AddedObjects, { local, ssh }: WhichNodes, way: Way | undefined): string =>
  ['netctl collect', count !== undefined && `--context ${context}`, local && '--local', ssh && '--ssh', way && `--via ${way.kind}`]
    .filter(Boolean)
    .join(' ')

const nothingRead = (missing: readonly string[]): NetctlError =>
  new NetctlError({
    code: 'COL002',
    message: 'nothing could be read, and no snapshot was written',
    have: missing,
    try: 'ssh HOST true, or netctl collect --local on the node itself',
    exitCode: ExitCode.unknown,
  })
