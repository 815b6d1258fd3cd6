import type { ReadNode } from '../snapshot/types.ts'
import { count, shellWord } from './names.ts'
import { makePen } from './pen.ts'
import { printableJson } from './sanitize.ts'
import type { TextOptions } from './terminal.ts'

/** What `netctl collect` made. */
export interface Collected {
  /** where the snapshot is */
  readonly path: string
  readonly nodes: readonly ReadNode[]
  /** of all pods that were read, where it is not known whose they are */
  readonly pods?: number
  /** of the API; undefined if it was not read */
  readonly objects: number | undefined
  /** what could not be had, and why: as in snapshot.json */
  readonly missing: readonly string[]
}

/** One line of one node, as it is done. */
export const readNodeLine = ({ label, node, files, pods, bytes }: ReadNode): string =>
  node === undefined
    ? `${label}: not read`
    : `${label === node ? node : `${label} (${node})`}: ${count(files, 'file')}, ${count(pods, 'pod')}, ${(bytes / 2 ** 20).toFixed(1)} MiB`

/** For people: what there is, and what is missing. */
export function collectedText({ path, nodes, objects, missing, ...all }: Collected, opts: TextOptions): string {
  const pen = makePen(opts)
  const read = nodes.filter((n) => n.node !== undefined)
  const pods = all.pods ?? nodes.reduce((sum, n) => sum + n.pods, 0)
  const what = [
    objects === undefined ? [] : count(objects, 'object'),
    nodes.length === 0 ? [] : [count(read.length, 'node'), count(pods, 'pod')],
  ].flat()
  const line = (text: string, style: 'plain' | 'dim' = 'plain') => [pen.text(text, style)]
  return pen.paint([
    [pen.text(path, 'strong'), pen.text(`  ${what.join(', ')}`)],
    ...(missing.length === 0 ? [] : [line('missing', 'dim'), ...merged(missing).map((what) => line(`  ${what}`))]),
    [pen.text('next     ', 'dim'), pen.text(`netctl snapshot show ${shellWord(path)}`)],
    [pen.text(`         netctl trace SRC DST --snapshot ${shellWord(path)}`)],
  ])
}

/** The same of several nodes in one line. */
function merged(missing: readonly string[]): readonly string[] {
  /** what is missing, without the node → the nodes */
  const nodes = new Map<string, string[]>()
  for (const text of missing) {
    const [, node, what = text] = /^nodes\/([^/:]+)(?:\/|: )(.*)$/s.exec(text) ?? []
    nodes.set(what, [...(nodes.get(what) ?? []), ...(node === undefined ? [] : [node])])
  }
  const told = new Set<string>()
  return missing.flatMap((text) => {
    const what = text.replace(/^nodes\/[^/:]+(?:\/|: )/, '')
    const names = nodes.get(what) ?? []
    if (names.length < 2) return [text]
    if (told.has(what)) return []
    told.add(what)
    return [`${several(names)}: ${what}`]
  })
}

const SHOWN = 3

const several = (names: readonly string[]): string =>
  names.length <= SHOWN + 1 ? names.join(', ') : `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more nodes`

/** For machines. */
export const collectedJson = (collected: Collected): string =>
  `${printableJson({ apiVersion: 'netctl.dev/v1alpha1', kind: 'Collected', ...collected }, 2)}\n`
