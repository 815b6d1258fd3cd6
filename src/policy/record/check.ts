import { evaluate } from '../evaluate.ts'
import type { PolicyFlow } from '../flow.ts'
import { endOf } from '../query/ends.ts'
import type { Verdict } from '../verdict.ts'
import type { Endpoint, PolicyWorld } from '../world.ts'
import { compareRecordings, type RecordChange } from './compare.ts'
import { parsePortSet } from './port-set.ts'
import type { PolicySnapshot } from './read.ts'
import { recordingOf } from './recording.ts'

/** What became of a snapshot: nothing differs, or something does. */
export interface SnapshotResult {
  readonly snapshot: PolicySnapshot
  readonly changes: readonly ExplainedChange[]
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** A change with one of its flows, as it is judged now. */
export interface ExplainedChange extends RecordChange {
  readonly example?: { readonly flow: PolicyFlow; readonly verdict: Verdict }
}

/** What is allowed now beside what was recorded. */
export function checkSnapshot(world: PolicyWorld, snapshot: PolicySnapshot): SnapshotResult {
  const now = recordingOf(world)
  const { changes, added, removed } = compareRecordings(snapshot.recording, now)
  return { snapshot, added, removed, changes: changes.map((change) => ({ ...change, ...exampleOf(world, change, now.endpoints) })) }
}

function exampleOf(
  world: PolicyWorld,
  { from, to, ports }: RecordChange,
  endpoints: ReadonlyMap<string, Endpoint>,
): Pick<ExplainedChange, 'example'> {
  const [[protocol, ranges] = []] = parsePortSet(ports) ?? []
  const source = endpoints.get(from[0] ?? '')
  // a group's change with itself is one between two of its members
  const destination = to.map((name) => endpoints.get(name)).find((endpoint) => endpoint !== undefined && endpoint !== source)
  if (protocol === undefined || !source || !destination) return {}
  const flow: PolicyFlow = { source: endOf(source), destination: endOf(destination), protocol, port: ranges?.[0]?.lo ?? 1 }
  return { example: { flow, verdict: evaluate(world, flow) } }
}

/** Whether anything is otherwise than it was recorded. */
export const differs = ({ changes, added, removed }: SnapshotResult): boolean => changes.length + added.length + removed.length > 0
