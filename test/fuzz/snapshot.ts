/** The dumps of a scenario as a snapshot: the same files and folders as a recorded cluster, with the objects that tie them together. */
import { loadSnapshot } from '../../src/snapshot/load.ts'
import type { Snapshot } from '../../src/snapshot/types.ts'
import { memoryFiles } from '../../src/system/files-memory.ts'
import type { Flow } from '../../src/trace/types.ts'
import type { Observation, Probe, Scenario } from './scenario.ts'

type Built = Extract<Observation, { files: unknown }>

export function snapshotFiles(scenario: Scenario, built: Built): Readonly<Record<string, string>> {
  const files: Record<string, string> = { ...objects(scenario) }
  for (const [name, dump] of Object.entries(built.files)) {
    for (const [file, text] of Object.entries(dump)) files[`${folderOf(scenario, name)}/${file}`] = text
  }
  return files
}

export const snapshotOf = (scenario: Scenario, built: Built): Snapshot =>
  loadSnapshot(memoryFiles(scenario.name, snapshotFiles(scenario, built)))

const kindOf = (scenario: Scenario, name: string) => scenario.spaces[name]?.kind

function folderOf(scenario: Scenario, name: string): string {
  const kind = kindOf(scenario, name)
  return kind === 'pod' ? `pods/t_${name}` : kind === 'node' ? `nodes/${name}` : `external/${name}`
}

export function flowOf(scenario: Scenario, p: Probe): Flow {
  const kind = kindOf(scenario, p.from)
  if (kind === undefined || kind === 'wire') throw new TypeError(`${p.from} sends nothing`)
  return {
    from: { kind, name: kind === 'pod' ? `t/${p.from}` : p.from },
    proto: p.proto,
    dst: p.dst,
    ...(p.port !== undefined && { port: p.port }),
    ...(p.source !== undefined && { source: p.source }),
    ...(p.sport !== undefined && { sourcePort: p.sport }),
    ...(p.payload !== undefined && { payload: p.payload }),
  }
}

const list = (kind: string, items: readonly unknown[]) => JSON.stringify({ apiVersion: 'v1', kind: `${kind}List`, items }, undefined, 1)

/** Everybody is dumped, so an address that nobody owns is nobody's. */
function objects(scenario: Scenario): Readonly<Record<string, string>> {
  const of = (kind: string) => Object.entries(scenario.spaces).filter(([, s]) => s.kind === kind)
  const assume = { unknownDestination: 'unreachable' }
  return {
    'snapshot.json': JSON.stringify({ apiVersion: 'netctl.dev/v1alpha1', kind: 'Snapshot', schemaVersion: 1, missing: [], assume }),
    'cluster/pods.json': list(
      'Pod',
      of('pod').map(([name, s]) => ({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { namespace: 't', name },
        spec: { nodeName: s.node, containers: [] },
        status: { phase: 'Running', podIP: s.ips?.[0], podIPs: s.ips?.map((ip) => ({ ip })) },
      })),
    ),
    'cluster/nodes.json': list(
      'Node',
      of('node').map(([name, s]) => ({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name },
        spec: {},
        status: { addresses: s.ips?.map((address) => ({ type: 'InternalIP', address })) },
      })),
    ),
  }
}
