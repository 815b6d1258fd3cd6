/** The shop read by its kubeconfig alone, what netctl foretells of its flows, and what becomes of them. */
import { writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { Trace } from '../../src/trace/types.ts'
import { netctl } from '../support/netctl.ts'
import type { Agent } from '../support/netns-agent.ts'
import { twice } from '../support/twice.ts'
import type { Cluster } from './cluster.ts'
import { sendersOf } from './open-shop.ts'
import { namespace } from './shop.ts'
import { type ShopFlow, shopFlows } from './shop-flows.ts'
import { differences } from './shop-truth.ts'
import type { ProxyMode } from './types.ts'

/** of a cluster that nobody has prepared */
export const byPod = ['--via', 'pod', '--yes', '--pod-image', 'netctl.test/node-tools:1']

export async function collect({ kubeconfig }: Cluster, path: string): Promise<string> {
  const ran = await netctl(['collect', '--kubeconfig', kubeconfig, ...byPod, '-O', path])
  // nothing is missing
  expect(ran.code, ran.stderr + ran.stdout).toBe(0)
  return path
}

/** The flows that the shop has as it stands in the API. */
export async function flowsOf({ kubectl }: Cluster, families: number, mode: Exclude<ProxyMode, 'none'>): Promise<readonly ShopFlow[]> {
  const list = async (kind: string) =>
    (JSON.parse(await kubectl(['-n', namespace, 'get', kind, '-o', 'json'])) as { readonly items: [] }).items
  return shopFlows(await list('services'), await list('pods'), families, mode)
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

/** Packets of these flows do as was foretold. */
export async function expectPredicted(
  cluster: Cluster,
  agent: Agent,
  flows: readonly ShopFlow[],
  traces: ReadonlyMap<string, Trace>,
): Promise<void> {
  const namespaceOf = await sendersOf(cluster)
  const wrong = [...(await twice(flows, (some) => differences(some, traces, agent, namespaceOf))).values()]
  expect(wrong, wrong.join('\n')).toEqual([])
}

/** netctl sends packets itself, one a flow, and watches every step of them. */
export async function verify(
  { kubeconfig }: Cluster,
  file: string,
  flows: readonly ShopFlow[],
): Promise<{ readonly code: number | undefined; readonly lines: readonly Line[] }> {
  writeFlows(file, flows)
  const ran = await netctl(['trace', '--flows', file, '--verify', '--yes', '--kubeconfig', kubeconfig, ...byPod, '-o', 'jsonl', '--brief'])
  return { code: ran.code, lines: readTraces(ran.stdout) }
}

const writeFlows = (file: string, flows: readonly ShopFlow[]): void =>
  writeFileSync(file, flows.map((flow) => `${JSON.stringify(flow)}\n`).join(''))

type Line = Trace & { readonly id: string; readonly verification?: { readonly result: string; readonly reason?: string } }

const readTraces = (text: string): readonly Line[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line)
