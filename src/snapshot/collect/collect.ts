/** Reads nodes with the collector (node.sh), several at a time, into a snapshot. */
import type { NewSnapshot } from '../../system/new-snapshot.ts'
import type { RunScript } from '../../system/run-script.ts'
import type { ReadNode } from '../types.ts'
import { readStream } from './stream.ts'

/** A node that is to be read. */
export interface NodeAt {
  /** what the user called it */
  readonly label: string
  /** its name in the cluster, where the user said so; else it tells its own */
  readonly name?: string
  readonly run: RunScript
}

export interface HowToRead {
  /** text of node.sh */
  readonly script: string
  /** for each node */
  readonly patienceMs: number
  readonly into: Pick<NewSnapshot, 'write'>
  readonly done?: (node: ReadNode) => void
}

const AT_ONCE = 16
/** one command may take a part of a node's time only */
const COMMAND_S = 30

/** Reads the nodes; one that fails is told in its `missing`, and stops no other. In the order asked for. */
export async function readNodes(nodes: readonly NodeAt[], how: HowToRead): Promise<readonly ReadNode[]> {
  const read: ReadNode[] = []
  const names = new Map<string, string>()
  const queue = [...nodes.entries()]
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [i, at] = next
      const node = await readNode(at, how, names)
      read[i] = node
      how.done?.(node)
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, nodes.length) }, worker))
  return read
}

async function readNode(at: NodeAt, { script, patienceMs, into }: HowToRead, names: Map<string, string>): Promise<ReadNode> {
  const { label } = at
  const none = { label, node: undefined, files: 0, pods: 0, bytes: 0 }
  const limit = Math.max(1, Math.min(COMMAND_S, Math.ceil(patienceMs / 2000)))
  const { output, failure } = await at.run(script, [String(limit), ...(at.name === undefined ? [] : [at.name])], patienceMs)
  const { node, files, notes, whole } = readStream(output, at.name)
  const cut = whole ? undefined : (failure ?? 'its output ended too early')
  if (node === undefined || files.size === 0) return { ...none, missing: [`node ${label}: not read: ${cut ?? 'it gave nothing'}`] }
  const other = names.get(node)
  if (other !== undefined) return { ...none, missing: [`node ${label}: left out: it calls itself ${node}, as ${other} does`] }
  names.set(node, label)
  for (const [name, bytes] of files) into.write(name, bytes)
  return {
    label,
    node,
    files: files.size,
    pods: new Set([...files.keys()].flatMap((f) => /^(pods\/[^/]+)\//.exec(f)?.[1] ?? [])).size,
    bytes: [...files.values()].reduce((sum, b) => sum + b.length, 0),
    missing: [
      ...notes.map((note) => (/^node[/:]/.test(note) ? note.replace('node', `nodes/${node}`) : `nodes/${node}: ${note}`)),
      ...(cut === undefined ? [] : [`nodes/${node}: not read to its end: ${cut}`]),
    ],
  }
}

/** snapshot.json. `source`: how it was taken. */
export function headerOf(about: {
  readonly takenAt: string
  readonly source: string
  readonly version: string
  readonly missing: readonly string[]
}): string {
  const { takenAt, source, version, missing } = about
  const header = {
    apiVersion: 'netctl.dev/v1alpha1',
    kind: 'Snapshot',
    schemaVersion: 1,
    takenAt,
    source,
    tools: { netctl: version },
    missing,
    assume: {},
  }
  return `${JSON.stringify(header, undefined, 2)}\n`
}
