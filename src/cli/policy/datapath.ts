import type { Inventory } from '../../cluster/inventory.ts'
import { NetctlError } from '../../error.ts'
import { evaluate } from '../../policy/evaluate.ts'
import type { PolicyFlow } from '../../policy/flow.ts'
import type { Scene } from '../../policy/query/services.ts'
import type { DatapathDifference, DatapathResult } from '../../policy/test/datapath.ts'
import { flowsOf } from '../../policy/test/run.ts'
import type { Asked } from '../../policy/test/suite.ts'
import type { Expectation } from '../../policy/test/types.ts'
import { inventoryOf } from '../../snapshot/names.ts'
import type { Snapshot } from '../../snapshot/types.ts'
import { differenceOf, traceable } from '../../trace/programmed.ts'
import type { Flow } from '../../trace/types.ts'
import type { Around } from '../around.ts'
import { type ClusterFlags, type Covering, covering, whichCluster } from '../which-cluster.ts'
import type { ReadyTests } from './test-files.ts'

/** Holds what expectations mean against the tables of a snapshot. */
export type Walk = (scene: Scene, asked: Asked) => Asked

/** How many differences of one expectation are told. */
const SHOWN = 5

/** Reads the snapshot that `--snapshot` names; else of the running cluster what the flows of the tests need. */
export async function datapathOf(flags: ClusterFlags & Covering, around: Around, tests: ReadyTests['tests']): Promise<Walk> {
  const cluster = await whichCluster(flags, around)
  const known = inventoryOf(cluster.snapshot)
  const flows = tests.flatMap(({ scene, test }) => test.expectations.flatMap((expectation) => walkable(scene, expectation, known)))
  const snapshot = await covering(cluster, flows, flags, around)
  return walkIn(snapshot)
}

function walkable(scene: Scene, expectation: Expectation, inventory: Inventory): readonly Flow[] {
  try {
    const all = [...flowsOf(scene, expectation)].map((flow) => traceable(inventory, flow, evaluate(scene.world, flow)))
    return all.filter((flow) => typeof flow !== 'string')
  } catch (error) {
    // what can't be asked is told with the results
    if (error instanceof NetctlError) return []
    throw error
  }
}

function walkIn(snapshot: Snapshot): Walk {
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
