import type { Inventory } from '../../cluster/inventory.ts'
import { evaluate } from '../../policy/evaluate.ts'
import type { PolicyFlow } from '../../policy/flow.ts'
import type { Scene } from '../../policy/query/services.ts'
import type { DatapathDifference, DatapathResult } from '../../policy/test/datapath.ts'
import { flowsOf } from '../../policy/test/run.ts'
import type { Asked } from '../../policy/test/suite.ts'
import { inventoryOf } from '../../snapshot/names.ts'
import type { Snapshot } from '../../snapshot/types.ts'
import { differenceOf } from '../../trace/programmed.ts'
import type { Terminal } from '../terminal.ts'
import { type FlowWords, whichSnapshot } from '../which-flow.ts'

/** Holds what expectations mean against the tables of a snapshot. */
export type Walk = (scene: Scene, asked: Asked) => Asked

/** How many differences of one expectation are told. */
const SHOWN = 5

/** Reads the snapshot that `--snapshot` names. */
export async function datapathOf(flags: Pick<FlowWords['flags'], 'snapshot' | 'timeout'>, terminal: Terminal, root: string): Promise<Walk> {
  const { snapshot } = await whichSnapshot(flags, terminal, root)
  const inventory = inventoryOf(snapshot)
  const known = new Map<string, DatapathDifference | undefined>()
  return (scene, asked) => {
    if (asked.kind === 'refused') return asked
    const datapath = walked(snapshot, inventory, scene, asked, known)
    const outcome = datapath.differing > 0 ? 'fail' : asked.outcome === 'pass' && datapath.unknown > 0 ? 'unknown' : asked.outcome
    return { ...asked, outcome, datapath }
  }
}

function walked(
  snapshot: Snapshot,
  inventory: Inventory,
  scene: Scene,
  { expectation }: Asked,
  known: Map<string, DatapathDifference | undefined>,
): DatapathResult {
  const differing: DatapathDifference[] = []
  const unknown: DatapathDifference[] = []
  let walked = 0
  for (const flow of flowsOf(scene, expectation)) {
    walked++
    // expectations overlap: a walk is done once
    const key = keyOf(flow)
    if (!known.has(key)) known.set(key, differenceOf(snapshot, inventory, flow, evaluate(scene.world, flow)))
    const difference = known.get(key)
    if (difference) (difference.kind === 'unknown' ? unknown : differing).push(difference)
  }
  return { walked, differing: differing.length, unknown: unknown.length, differences: [...differing, ...unknown].slice(0, SHOWN) }
}

const keyOf = ({ source, destination, protocol, port, staged }: PolicyFlow): string =>
  JSON.stringify([source.id, destination.id, destination.addresses[0]?.text, protocol, port, staged])
