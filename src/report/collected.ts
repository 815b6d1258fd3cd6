import type { ReadNode } from '../snapshot/types.ts'
import { count } from './names.ts'
import { makePen } from './pen.ts'
import { printableJson } from './sanitize.ts'
import type { TextOptions } from './terminal.ts'

/** What `netctl collect` made. */
export interface Collected {
  /** where the snapshot is */
  readonly path: string
  readonly nodes: readonly ReadNode[]
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
export function collectedText({ path, nodes, objects, missing }: Collected, opts: TextOptions): string {
  const pen = makePen(opts)
  const read = nodes.filter((n) => n.node !== undefined)
  const pods = nodes.reduce((sum, n) => sum + n.pods, 0)
  const what = [
    objects === undefined ? [] : count(objects, 'object'),
    nodes.length === 0 ? [] : [count(read.length, 'node'), count(pods, 'pod')],
  ].flat()
  const line = (text: string, style: 'plain' | 'dim' = 'plain') => [pen.text(text, style)]
  return pen.paint([
    [pen.text(path, 'strong'), pen.text(`  ${what.join(', ')}`)],
    ...(missing.length === 0 ? [] : [line('missing', 'dim'), ...missing.map((what) => line(`  ${what}`))]),
  ])
}

/** For machines. */
export const collectedJson = (collected: Collected): string =>
  `${printableJson({ apiVersion: 'netctl.dev/v1alpha1', kind: 'Collected', ...collected }, 2)}\n`
