/**
 * Holds the engine and the naive evaluator against each other for as long as wanted:
 * `node test/policy/agree.ts --seed 1 --clusters 5000 [--flows 20]`. Prints the smallest cluster of each difference; exit 1 if there is one.
 */
import { parseArgs } from 'node:util'
import { type Difference, differences } from './agreement.ts'
import type { KubeObject } from './naive/objects.ts'
import { randomCluster } from './random/cluster.ts'
import { shrink } from './shrink.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    clusters: { type: 'string', default: '1000' },
    flows: { type: 'string', default: '20' },
    show: { type: 'string', default: '3' },
  },
})
const first = Number(values.seed)
const flowCount = Number(values.flows)
let shown = 0
let differing = 0
let pairs = 0
const kinds = new Map<string, number>()

for (let seed = first; seed < first + Number(values.clusters); seed++) {
  const { objects, flows } = randomCluster(seed, flowCount)
  pairs += flows.length
  const found = differences(objects, flows)
  differing += found.length
  for (const difference of found) {
    const kind = signature(difference)
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    if (kinds.get(kind) === 1 && shown++ < Number(values.show)) show(seed, difference)
  }
}
for (const [kind, count] of [...kinds].sort((a, b) => b[1] - a[1]).slice(0, 20)) process.stdout.write(`${count} × ${kind}\n`)
process.stdout.write(`${differing} of ${pairs} answers differ (seeds ${first} to ${first + Number(values.clusters) - 1})\n`)
if (differing > 0) process.exitCode = 1

/** How the two differ, apart from who decided: one kind of mistake has few. */
function signature({ engine, naive }: Difference): string {
  const short = ({ verdict, egress, ingress }: Difference['engine']) => `${verdict} ${shape(egress)} ${shape(ingress)}`
  return `${short(engine)} | ${short(naive)}`
}

function shape(steps: readonly string[]): string {
  return `${steps[0]}/${/^\S+/.exec(steps.at(-1) ?? '')?.[0]}`
}

function show(seed: number, difference: Difference): void {
  const { objects, flow } = difference
  const kind = signature(difference)
  const isNamed = (object: KubeObject) => object.metadata.name !== undefined
  const still = (smaller: Pick<Difference, 'objects' | 'flow'>) =>
    smaller.objects.every(isNamed) && differences(smaller.objects, [smaller.flow]).some((d) => signature(d) === kind)
  const smallest = shrink({ objects, flow }, still)
  const [answers] = differences(smallest.objects, [smallest.flow])
  const lines = [`seed ${seed}`, ...smallest.objects.map((object) => JSON.stringify(object)), JSON.stringify(smallest.flow)]
  lines.push(`engine: ${JSON.stringify(answers?.engine)}`, `naive:  ${JSON.stringify(answers?.naive)}`)
  process.stdout.write(`${lines.join('\n')}\n\n`)
}
