/** Reads a running cluster: objects by its API, nodes by the collector over a way. */
import type { Allowed } from '../kube/list-objects.ts'
import { type NodeAt, readNodes } from '../snapshot/collect/collect.ts'
import { clusterFiles } from '../snapshot/collect/objects.ts'
import type { ReadNode } from '../snapshot/types.ts'
import type { Way } from '../system/way.ts'
import type { Piece, Reading, Wanted } from './piece.ts'

export interface Ways {
  /** lists the objects that a snapshot has, as far as the rights reach; rejects with NetctlError */
  readonly list: () => Promise<Allowed>
  /** opened when the first node is to be read; a reason where no way leads to any */
  readonly way: () => Promise<Way | { readonly missing: string }>
  /** the collector: `collectorText` */
  readonly script: string
  /** for each node */
  readonly patienceMs: number
  /** milliseconds since the epoch */
  readonly now: () => number
  /** told when nodes begin to be read; `by`: the way's kind */
  readonly begun: (nodes: readonly string[], by: string) => void
}

/** Objects by `list`; nodes by the collector over the way, each with the pods that are wanted of it. */
export function clusterReading({ list, way, script, patienceMs, now, begun }: Ways): Reading {
  return {
    async objects() {
      const takenAt = now()
      const listed = await list()
      const { files, missing } = clusterFiles(listed)
      const named = new Map([...files].map(([name, text]) => [name, Buffer.from(text)]))
      return { takenAt, endedAt: now(), files: named, missing, pods: [], whole: listed.failed.length === 0 }
    },
    async nodes(wanted) {
      const opened = await way()
      if ('missing' in opened) return new Map(wanted.map(({ node }) => [node, unread(node, opened.missing)]))
      begun(
        wanted.map(({ node }) => node),
        opened.kind,
      )
      const home = new Map(
        wanted.flatMap(({ node, pods }) => [`nodes/${node}`, ...pods.map(folderOf)].map((folder) => [folder, node] as const)),
      )
      const files = new Map(wanted.map(({ node }) => [node, new Map<string, Buffer>()]))
      const started = new Map<string, number>()
      const ended = new Map<string, number>()
      const broken = new Set<string>()
      const at = ({ node, pods }: Wanted): NodeAt => ({
        label: node,
        name: node,
        pods,
        async run(...how) {
          const run = await opened.to(node)
          started.set(node, now())
          const ran = 'missing' in run ? { output: Buffer.alloc(0), failure: run.missing } : await run(...how)
          ended.set(node, now())
          if (ran.failure !== undefined) broken.add(node)
          return ran
        },
      })
      // what nobody asked for, a pod that has moved since say, would be of another moment than its objects
      const into = {
        write(name: string, bytes: Buffer | string): void {
          files.get(home.get(name.slice(0, name.lastIndexOf('/'))) ?? '')?.set(name, Buffer.from(bytes))
        },
      }
      const read = await readNodes(wanted.map(at), { script, patienceMs, into })
      for (const { node } of wanted) await opened.leave(node)
      return new Map(
        wanted.map(({ node, pods }, i): readonly [string, Piece | string] => {
          const { node: came, missing } = read[i] as ReadNode
          if (came === undefined) return [node, unread(node, missing.map(withoutName).join('; '))]
          const takenAt = started.get(node) ?? now()
          return [
            node,
            {
              takenAt,
              endedAt: ended.get(node) ?? takenAt,
              files: files.get(node) ?? new Map(),
              missing: [...opened.unseen, ...missing],
              pods,
              by: opened.kind,
              whole: !broken.has(node),
            },
          ]
        }),
      )
    },
  }
}

const folderOf = (pod: string): string => `pods/${pod.replace('/', '_')}`
const withoutName = (missing: string): string => missing.replace(/^node \S+ (?:not read: )?/, '')
const unread = (node: string, why: string): string => `${node} could not be read: ${why}`
