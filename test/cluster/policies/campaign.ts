/** Clusters run by real Calico, from a seed: some states of random policies of each, and what differs from what netctl says of them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSnapshot } from '../../../src/snapshot/open.ts'
import { traceFlow } from '../../../src/trace/trace.ts'
import type { Trace } from '../../../src/trace/types.ts'
import type { Seen } from '../../fuzz/scenario.ts'
import { makeRandom, type Random } from '../../kernel/random.ts'
import { worldIn } from '../../policy/captures.ts'
import { portNumbers } from '../../policy/random/words.ts'
import { Agent } from '../../support/netns-agent.ts'
import { twice } from '../../support/twice.ts'
import { type Cluster, up } from '../cluster.ts'
import { sendersOf, settle, unlimited } from '../open-shop.ts'
import { isTold, patiently, seedOf, textOf } from '../random/campaign.ts'
import { type Order, roundsOf, type Tally } from '../random/order.ts'
import { collect, listed, readOutside } from '../random/round.ts'
import { run } from '../run.ts'
import type { Service } from '../shop-flows.ts'
import { differences } from '../shop-truth.ts'
import { drawFlows, type ListedPod, type PolicyFlow } from './flows.ts'
import { misjudged } from './meaning.ts'
import { drawPolicies, withoutCodes } from './policies.ts'
import { drawPopulation, spaces } from './population.ts'
import { apply, clear, relabel, reset, settled } from './state.ts'

interface World {
  readonly cluster: Cluster
  readonly agent: Agent
  readonly nodes: number
  readonly families: 1 | 2
  readonly pods: readonly string[]
}

export async function oneCluster(order: Order, seed: number, tally: Tally): Promise<void> {
  const r = makeRandom(seed)
  const families = r.pick([1, 2] as const)
  const nodes = 2
  const { objects, pods } = drawPopulation(r, nodes, families)
  order.say(`seed ${seed}: ${families} families, ${pods.length} pods`)
  const cluster = await up(nodes, { dual: families === 2, cni: 'calico' })
  const agent = new Agent()
  try {
    await settle(cluster)
    await cluster.kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
    for (const space of spaces) await cluster.kubectl(['-n', space, 'wait', 'pod', '--all', '--for=condition=Ready', '--timeout=120s'])
    const namespaceOf = await sendersOf(cluster)
    for (const name of pods)
      if (!name.includes('/edge-')) await run(['nsenter', `--net=${namespaceOf({ kind: 'pod', name })}`, 'sh', '-ec', unlimited])
    await agent.serve(cluster.namespace('external'), 'external', portNumbers, portNumbers)
    const world = { cluster, agent, nodes, families, pods }
    for (const round of roundsOf(order)) await oneRound(order, world, seed, round, tally)
  } finally {
    agent.end()
    await cluster.down()
  }
}

async function oneRound(wanted: Order, world: World, seed: number, round: number, tally: Tally): Promise<void> {
  const { cluster, agent, families } = world
  const r = seedOf(seed, round)
  const path = join(wanted.folder, `${seed}.${round}`)
  const since = Date.now()
  const { modes, refused, hosts } = await arrange(world, r, round)
  await collect(cluster, path)
  await readOutside(cluster, path)
  const pods = listed<ListedPod>(path, 'pods.json').filter(({ metadata }) => (spaces as readonly string[]).includes(metadata.namespace))
  const services = listed<Service & { readonly metadata: { readonly namespace: string } }>(path, 'services.json').filter(({ metadata }) =>
    (spaces as readonly string[]).includes(metadata.namespace),
  )
  const flows = drawFlows(r, services, pods, world.nodes, families, wanted.flows)
  const snapshot = await openSnapshot(path)
  const traces = new Map(flows.map((flow) => [flow.id, traceFlow(snapshot, flow, { id: flow.id, brief: true })] as const))
  const told = flows.filter(({ id }) => !takesOrder(traces.get(id)) && isTold(traces.get(id), tally))
  const namespaceOf = await sendersOf(cluster)
  const seen = new Map<PolicyFlow, readonly Seen[]>()
  const ask = (some: readonly PolicyFlow[]) => differences(some, traces, agent, namespaceOf, (flow, what) => void seen.set(flow, what))
  const wrong = [...(await patiently(await twice(told, ask), ask))].map(([flow, how]) => `${textOf(flow)}\n  ${how}`)
  const meant = worldIn(path)
  for (const [flow, what] of seen)
    wrong.push(...misjudged(meant, flow, what, pods, hosts).map((text) => `policy: ${textOf(flow)}: ${text}`))
  tally.rounds++
  tally.flows += told.length
  tally.delivered += told.filter(({ id }) => isDelivered(traces.get(id))).length
  tally.differing += wrong.length
  const delivered = told.filter(({ id }) => isDelivered(traces.get(id))).length
  const seconds = Math.round((Date.now() - since) / 1000)
  wanted.say(
    `${seed}.${round}: ${modes}: ${told.length} of ${flows.length} flows, ${delivered} delivered, ${wrong.length} wrong, ${seconds} s`,
  )
  for (const text of [...refused, ...wrong.slice(0, 12)]) wanted.say(text)
  if (wrong.length > 0) writeFileSync(`${path}.wrong`, [modes, ...refused, ...wrong].join('\n\n'))
}

/** Which of two base chains of one priority is first, Felix's or kube-proxy's, no dump tells; the order of their tables, which is taken for it, is not always theirs. */
const takesOrder = (trace: Trace | undefined): boolean =>
  trace?.assumptions?.some((text) => text.startsWith('of base chains of one priority')) === true

const isDelivered = (trace: Trace | undefined): boolean => trace?.outcomes.some(({ verdict }) => verdict === 'delivered') === true

/** Other labels, settings and policies; resolves when all of it is programmed. */
async function arrange({ cluster, nodes, families, pods }: World, r: Random, round: number) {
  await clear(cluster)
  await relabel(cluster, r, pods)
  const { modes, nftables } = await reset(cluster, r, families)
  const addresses = await Promise.all(
    pods
      .filter((name) => !name.includes('/edge-'))
      .map(async (name) => {
        const [namespace = '', pod = ''] = name.split('/')
        return (await cluster.kubectl(['-n', namespace, 'get', 'pod', pod, '-o', 'jsonpath={.status.podIPs[*].ip}'])).split(' ')
      }),
  )
  const possible = drawPolicies(r, nodes, families, addresses)
  const drawn = nftables ? withoutCodes(possible) : possible
  const refused = await apply(cluster, drawn)
  await settled(cluster, families, round + 1)
  return { modes, refused, hosts: drawn.calico.some(({ kind }) => kind === 'HostEndpoint') }
}
