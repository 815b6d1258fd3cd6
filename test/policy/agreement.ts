/** The engine and the naive evaluator asked the same: where they differ, and the smallest cluster in which they still do. */
import { readManifest } from '../../src/cluster/manifest/read.ts'
import { buildWorld } from '../../src/policy/build.ts'
import { evaluate } from '../../src/policy/evaluate.ts'
import { pathOf } from '../../src/policy/path.ts'
import { resolveEnd } from '../../src/policy/query/ends.ts'
import { readResource } from '../../src/policy/resources/read.ts'
import type { Judgement } from '../../src/policy/verdict.ts'
import type { PolicyWorld } from '../../src/policy/world.ts'
import { type Endpoint, endpoints } from './naive/endpoints.ts'
import { evaluate as evaluateNaively } from './naive/evaluate.ts'
import type { Flow } from './naive/flow.ts'
import { type KubeObject, protocolNumber } from './naive/objects.ts'

/** What both are compared by: the answer, and each side's decision with the steps that led to it. */
interface Answer {
  readonly allowed: boolean
  readonly verdict: string
  readonly egress: readonly string[]
  readonly ingress: readonly string[]
}

export interface Difference {
  readonly objects: readonly KubeObject[]
  readonly flow: Flow
  readonly engine: Answer
  readonly naive: Answer
}

/** The cluster in both forms; throws if the engine refuses one of the objects. */
function readCluster(objects: readonly KubeObject[]): { world: PolicyWorld; everyone: readonly Endpoint[] } {
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
  const loaded = readManifest(text, 'random.json', { namespace: 'default' }).objects.map((object) => {
    const read = readResource(object)
    if (read.kind === 'resource') return { object, resource: read.resource }
    throw new Error(`refused: ${JSON.stringify(object.value)}: ${JSON.stringify(read)}`)
  })
  return { world: buildWorld(loaded), everyone: endpoints(objects) }
}

/** The flows on which the two differ. */
export function differences(objects: readonly KubeObject[], flows: readonly Flow[]): Difference[] {
  const { world, everyone } = readCluster(objects)
  const found: Difference[] = []
  for (const flow of flows) {
    const engine = askEngine(world, flow)
    const naive = askNaive(objects, everyone, flow)
    if (JSON.stringify(engine) !== JSON.stringify(naive)) found.push({ objects, flow, engine, naive })
  }
  return found
}

function askNaive(objects: readonly KubeObject[], everyone: readonly Endpoint[], flow: Flow): Answer {
  const { allowed, verdict, egress, ingress } = evaluateNaively(objects, flow, everyone)
  return { allowed, verdict, egress: [egress.decision, ...egress.path], ingress: [ingress.decision, ...ingress.path] }
}

function askEngine(world: PolicyWorld, flow: Flow): Answer {
  const { src, dst, protocol, port, srcPort, icmpType, icmpCode, class: hook, staged } = flow
  const source = resolveEnd(world, src)
  const destination = resolveEnd(world, dst)
  if (!source || !destination) throw new Error(`the engine knows no ${source ? dst : src}`)
  const more = { port, sourcePort: srcPort, icmpType, icmpCode, class: hook, staged }
  const given = Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined))
  const said = evaluate(world, { source, destination, protocol: protocolNumber(protocol), ...given })
  return { allowed: said.allowed, verdict: said.verdict, egress: stepsOf(said.egress), ingress: stepsOf(said.ingress) }
}

/** Paths count a Kubernetes rule once a protocol and peer; here the place of the user's rule is said. */
function stepsOf(judgement: Judgement): string[] {
  const path = pathOf(judgement)
  const steps = judgement.steps.map((step, index) => {
    const text = (path[index] ?? '').replace(/ Kubernetes(Baseline)?AdminNetworkPolicy:/, ' $1AdminNetworkPolicy:')
    return step.kind === 'rule' ? text.replace(/ rule=\d+/, ` rule=${step.rule.index}`) : text
  })
  return [judgement.verdict, ...steps]
}
