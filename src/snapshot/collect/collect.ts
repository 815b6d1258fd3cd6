/** Reads nodes with the collector (bin/node), several at a time, into a snapshot. */
import type { NewSnapshot } from '../../system/new-snapshot.ts'
import type { RunScript } from '../../system/run-script.ts'
import type { Way } from '../../system/way.ts'
import type { ReadNode } from '../types.ts'
import type { PodNames } from './pod-names.ts'
import { readStream } from './stream.ts'

/** A node that is to be read. */
export interface NodeAt {
  /** what the user called it */
  readonly label: string
  /** its name in the cluster, where the user said so; else it tells its own */
  readonly name?: string
  /** `shop/web-1`: the pods whose network namespaces are read; all of the node's if absent */
  readonly pods?: readonly string[]
  /** addresses whose connections are read; all of the node's if absent */
  readonly connections?: readonly string[]
  readonly run: RunScript
}

/** Nodes as a way leads to them, by their names in the cluster. The time that the way takes is the node's own. */
export const nodesBy = (way: Way, names: readonly string[]): readonly NodeAt[] =>
  names.map((name) => ({
    label: name,
    name,
    async run(script, args, patienceMs, listening) {
      const begin = performance.now()
      const run = await way.to(name)
      if ('missing' in run) return { output: Buffer.alloc(0), failure: run.missing }
      return run(script, args, Math.max(1000, patienceMs - (performance.now() - begin)), listening)
    },
  }))

export interface HowToRead {
  /** the collector: `collectorText` */
  readonly script: string
  /** for each node */
  readonly patienceMs: number
  readonly into: Pick<NewSnapshot, 'write'>
  readonly done?: (node: ReadNode) => void
  /** asked where a node can't tell the name of a pod; undefined: nobody knows */
  readonly podNames?: () => Promise<PodNames | undefined>
}

const AT_ONCE = 16
/** one command may take a part of a node's time only */
const COMMAND_S = 30

/** Reads the nodes; one that fails is told in its `missing`, and stops no other. In the order asked for. */
export async function readNodes(nodes: readonly NodeAt[], how: HowToRead): Promise<readonly ReadNode[]> {
  const read: ReadNode[] = []
  /** folder of the snapshot → label of the node that it is from */
  const owners = new Map<string, string>()
  const queue = [...nodes.entries()]
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [i, at] = next
      const node = await readNode(at, how, owners)
      read[i] = node
      how.done?.(node)
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, nodes.length) }, worker))
  return read
}

async function readNode(at: NodeAt, { script, patienceMs, into, podNames }: HowToRead, owners: Map<string, string>): Promise<ReadNode> {
  const { label } = at
  const limit = Math.max(1, Math.min(COMMAND_S, Math.ceil(patienceMs / 2000)))
  const { output, failure } = await at.run(script, [String(limit), ...argumentsOf(at)], patienceMs)
  const { node, files, notes, whole } = readStream(output, at.name)
  const cut = whole ? undefined : (failure ?? 'its output ended too early')
  const none = (why: string): ReadNode => ({ label, node: undefined, files: 0, pods: 0, bytes: 0, missing: [`node ${label}: ${why}`] })
  if (node === undefined || files.size === 0) return none(`not read: ${cut ?? 'it gave nothing'}`)
  const twin = owners.get(`nodes/${node}`)
  if (twin !== undefined) return none(`left out: it calls itself ${node}, as ${twin} does`)
  const missing = notes.map((note) => (/^node[/:]/.test(note) ? note.replace('node', `nodes/${node}`) : `nodes/${node}: ${note}`))
  const folders = await namedFolders(files, podNames, missing)
  const homes = at.name === undefined ? undefined : await podNames?.()
  for (const [folder, inside] of folders) {
    // a pod that moves is on two nodes for a moment: a mix of both never was; and a node that was broken into tells of others' pods what it likes
    const theirs = owners.get(folder) ?? homeOf(folder, at, homes)
    if (theirs !== undefined) {
      missing.push(`${folder}: ${theirs === '' ? 'not asked for' : `of ${theirs}`}; what ${label} has under this name is left out`)
      folders.delete(folder)
      continue
    }
    for (const [name, bytes] of inside) into.write(name, bytes)
    owners.set(folder, label)
  }
  if (cut !== undefined) missing.push(`nodes/${node}: not read to its end: ${cut}`)
  const written = [...folders.values()].flat()
  return {
    label,
    node,
    files: written.length,
    pods: folders.size - 1,
    bytes: written.reduce((sum, [, bytes]) => sum + bytes.length, 0),
    missing,
  }
}

/** Whose a pod's folder is, if not this node's as far as is known; empty: nobody's who was asked. */
function homeOf(folder: string, { name, pods }: NodeAt, homes: PodNames | undefined): string | undefined {
  const [, pod] = /^pods\/(.+)$/.exec(folder) ?? []
  if (pod === undefined) return undefined
  if (pods !== undefined && !pods.includes(pod.replace('_', '/'))) return ''
  const home = homes?.nodeOf(pod)
  return home === name ? undefined : home
}

/** where the collector puts a pod of which it knows the uid alone */
const NAMELESS = 'pods/-_'

/** Files by their folders. Pods that the node could not name get their names, or are left out. */
async function namedFolders(
  files: ReadonlyMap<string, Buffer>,
  podNames: HowToRead['podNames'],
  missing: string[],
): Promise<Map<string, [string, Buffer][]>> {
  const folders = new Map<string, [string, Buffer][]>()
  for (const [name, bytes] of files) {
    const folder = name.slice(0, name.lastIndexOf('/'))
    const inside = folders.get(folder)
    if (inside) inside.push([name, bytes])
    else folders.set(folder, [[name, bytes]])
  }
  const nameless = [...folders.keys()].filter((folder) => folder.startsWith(NAMELESS))
  const names = nameless.length === 0 ? undefined : await podNames?.()
  const unknown: string[] = []
  for (const folder of nameless) {
    const inside = folders.get(folder) as [string, Buffer][]
    folders.delete(folder)
    const uid = folder.slice(NAMELESS.length)
    const addresses = inside.find(([name]) => name.endsWith('/ip-addr.json'))?.[1].toString('latin1') ?? ''
    const pod = names?.of(
      uid,
      [...addresses.matchAll(/"local": ?"([0-9a-f.:]+)"/g)].map(([, address]) => address as string),
    )
    if (pod === undefined) unknown.push(uid)
    else
      folders.set(
        `pods/${pod}`,
        inside.map(([name, bytes]) => [name.replace(folder, `pods/${pod}`), bytes]),
      )
  }
  if (unknown.length > 0)
    missing.push(
      `pods: ${unknown.length} left out, as neither the node nor the cluster's objects tell their names; uid ${unknown.slice(0, 3).join(', ')}${unknown.length > 3 ? ', …' : ''}`,
    )
  return folders
}

/** What the collector is told after the time: the node's name, where its root is, and the pods and connections that are wanted. */
function argumentsOf({ name, pods, connections = [] }: NodeAt): readonly string[] {
  const wanted = [
    ...(pods === undefined ? [] : pods.length === 0 ? ['-'] : pods.map((pod) => pod.replace('/', '_'))),
    ...connections.map((address) => `connections/${address}`),
  ]
  if (wanted.length === 0) return name === undefined ? [] : [name]
  return [name ?? '', '', ...wanted]
}

/** snapshot.json. `source`: how it was taken. */
export function headerOf(about: {
  /** undefined: nobody knows */
  readonly takenAt?: string
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
