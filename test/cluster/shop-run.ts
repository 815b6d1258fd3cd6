/** The shop read by its kubeconfig alone, and what netctl foretells of its flows. */
import { writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { Trace } from '../../src/trace/types.ts'
import { netctl } from '../support/netctl.ts'
import type { Cluster } from './cluster.ts'
import type { ShopFlow } from './shop-flows.ts'

/** of a cluster that nobody has prepared */
export const byPod = ['--via', 'pod', '--yes', '--pod-image', 'netctl.test/node-tools:1']

export async function collect({ kubeconfig }: Cluster, path: string): Promise<string> {
  const ran = await netctl(['collect', '--kubeconfig', kubeconfig, ...byPod, '-O', path])
  // nothing is missing
  expect(ran.code, ran.stderr + ran.stdout).toBe(0)
  return path
}

/** `flags`: what if. */
export async function predict(
  snapshot: string,
  flows: readonly ShopFlow[],
  flags: readonly string[] = [],
): Promise<ReadonlyMap<string, Trace>> {
  const file = `${snapshot}.jsonl`
  writeFlows(file, flows)
  const ran = await netctl(['trace', '--snapshot', snapshot, '--flows', file, '-o', 'jsonl', '--brief', ...flags])
  const traces = readTraces(ran.stdout)
  expect(traces.length, ran.stderr).toBe(flows.length)
  return new Map(traces.map((trace) => [trace.id, trace]))
}

export const writeFlows = (file: string, flows: readonly ShopFlow[]): void =>
  writeFileSync(file, flows.map((flow) => `${JSON.stringify(flow)}\n`).join(''))

type Line = Trace & { readonly id: string; readonly verification?: { readonly result: string; readonly reason?: string } }

export const readTraces = (text: string): readonly Line[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line)
