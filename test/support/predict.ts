/** Walks every flow of a recording's truth.jsonl, in this process: the same as `netctl trace --flows truth.jsonl -o jsonl --brief`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadSnapshot } from '../../src/snapshot/load.ts'
import { openFolder } from '../../src/system/files-folder.ts'
import { traceFlow } from '../../src/trace/trace.ts'
import type { Flow, Trace } from '../../src/trace/types.ts'

export interface TruthLine {
  readonly id: string
  readonly from: Flow['from']
  readonly proto: Flow['proto']
  readonly dst: string
  readonly port?: number
  readonly payload?: number
  readonly via?: string
}

export function truthOf(folder: string): readonly TruthLine[] {
  return readFileSync(join(folder, 'truth.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((l) => JSON.parse(l) as TruthLine)
}

export const flowOf = (t: TruthLine): Flow => ({
  from: t.from,
  proto: t.proto,
  dst: t.dst,
  ...(t.port !== undefined && { port: t.port }),
  ...(t.payload !== undefined && { payload: t.payload }),
})

export function predict(folder: string, brief = true): readonly Trace[] {
  const snapshot = loadSnapshot(openFolder(folder))
  return truthOf(folder).map((t) => traceFlow(snapshot, flowOf(t), { brief, id: t.id }))
}
