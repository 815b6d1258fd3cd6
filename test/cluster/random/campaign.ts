/** Clusters from a seed, some states of each, and what differs. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSnapshot } from '../../../src/snapshot/open.ts'
import type { Snapshot } from '../../../src/snapshot/types.ts'
import { traceFlow } from '../../../src/trace/trace.ts'
import type { Trace } from '../../../src/trace/types.ts'
import { makeRandom, type Random } from '../../kernel/random.ts'
import { netctl } from '../../support/netctl.ts'
import { Agent } from '../../support/netns-agent.ts'
import { twice } from '../../support/twice.ts'
import { type Cluster, up } from '../cluster.ts'
import { sendersOf, settle } from '../open-shop.ts'
import { namespace } from '../shop.ts'
import type { Pod, Service, ShopFlow } from '../shop-flows.ts'
import { differences } from '../shop-truth.ts'
import { type Disorder, drawDisorder, order } from './disorder.ts'
import { explained } from './explained.ts'
import { drawFlows, type RandomFlow } from './flows.ts'
import { askKept, type KeptFlow, openKept, predictKept } from './kept.ts'
import { type Order, roundsOf, type Tally } from './order.ts'
import { type DrawnPod, drawGuests, drawPods } from './pods.ts'
import { forgetful, podIps, populate, replaceGuests, settlePods } from './population.ts'
import { drawProxy, type Mode, type ProxySettings } from './proxy-settings.ts'
import { byPod, collect, listed, ownSettings, readOutside, replaceServices, restartProxies } from './round.ts'
import { type DrawnServices, drawServices } from './services.ts'
import { shake } from './shake.ts'
import { misjudged, type Slice } from './staleness.ts'

export interface RandomOrder extends Order {
  /** connections that are open while services change: none to leave services as they are */
  readonly kept: number
  /** of kube-proxy */
  readonly modes: readonly Mode[]
  /** of the flows so many are sent and watched by netctl itself */
  readonly verify: number
}

export async function oneCluster(order: RandomOrder, seed: number, tally: Tally): Promise<void> {
  const r = makeRandom(seed)
  const nodes = 1 + r.below(3)
  const families = r.pick([1, 2] as const)
  const pods = drawPods(r, nodes)
  order.say(`seed ${seed}: ${nodes} nodes, ${families} families, ${pods.length} pods`)
  const cluster = await up(nodes, { dual: families === 2, proxyMode: order.modes[0] ?? 'iptables' })
  const agent = new Agent()
  try {
    await settle(cluster)
    await populate(cluster, pods)
    // open connections outlast a state
    for (const node of cluster.nodes) await cluster.exec(node, ['sh', '-c', `${lasting}\n${forgetful}`])
    await cluster.external(['sh', '-c', forgetful])
    await settlePods(cluster, pods)
    // as is assumed of a host without a dump: it listens where slices lead
    await agent.serve(cluster.namespace('external'), 'external', [8080, 7000, 9100, 4444], [5353, 7000, 4444])
    const own = await ownSettings(cluster)
    const world = { cluster, modes: order.modes, agent, own, pods, nodes, families, addresses: await podIps(cluster) }
    for (const round of roundsOf(order)) await oneRound(order, world, seed, round, tally)
  } finally {
    agent.end()
    await cluster.down()
  }
}

const lasting =
  'for t in udp_timeout tcp_timeout_close_wait tcp_timeout_last_ack; do echo 600 >/proc/sys/net/netfilter/nf_conntrack_$t; done'

interface World {
  readonly modes: readonly Mode[]
  readonly cluster: Cluster
  readonly agent: Agent
  readonly own: ReadonlyMap<string, string>
  readonly pods: readonly DrawnPod[]
  readonly nodes: number
  readonly families: 1 | 2
  readonly addresses: readonly (readonly string[])[]
}

/** Every round has a seed of its own, so that it can be repeated without those before it. */
export const seedOf = (seed: number, round: number): Random => makeRandom(seed * 1000 + round + 7)

async function oneRound(wanted: RandomOrder, world: World, seed: number, round: number, tally: Tally): Promise<void> {
  const { cluster, agent } = world
  const r = seedOf(seed, round)
  const path = join(wanted.folder, `${seed}.${round}`)
  const since = Date.now()
  const state = await arrange(world, r)
  const opened = await keepOpen(world, r, wanted.kept)
  const shaken = wanted.kept === 0 ? [] : await shake(cluster, r, state.services, state.guests, state.settings, world.families)
  const said = [...shaken.map((line) => `    ${line}`), ...(await disturb(cluster, state))]
  await collect(cluster, path)
  if (r.chance(0.5)) await readOutside(cluster, path)
  const pods = listed<Pod>(path, 'pods.json').filter(ofShop)
  const services = listed<Service>(path, 'services.json').filter(ofShop)
  const flows = drawFlows({ r, services, pods, nodes: world.nodes, families: world.families, addresses: state.addresses }, wanted.flows)
  const snapshot = await openSnapshot(path)
  const { traces, wrong } = predict(snapshot, flows)
  const kept = await judgeKept(agent, path, snapshot, opened, tally)
  wrong.push(...kept.wrong)
  const told = flows.filter(({ id }) => isTold(traces.get(id), tally))
  const namespaceOf = await sendersOf(cluster)
  const ask = (some: readonly RandomFlow[]) => differences(some, traces, agent, namespaceOf)
  const differing = await patiently(await twice(told, ask), ask)
  wrong.push(...[...differing].map(([flow, how]) => `${textOf(flow)}\n  ${how}`))
  const own = told.filter(({ from }) => from.kind !== 'external').slice(0, wanted.verify)
  if (own.length > 0) wrong.push(...(await verified(cluster, `${path}.flows`, own)))
  tally.rounds++
  tally.flows += told.length + kept.told
  tally.delivered += told.filter(({ id }) => traces.get(id)?.outcomes.some(({ verdict }) => verdict === 'delivered')).length
  tally.differing += wrong.length
  const seconds = Math.round((Date.now() - since) / 1000)
  wanted.say(
    `${seed}.${round}: ${state.modes}: ${told.length} of ${flows.length} flows, ${kept.told} of ${opened.length} kept, ${wrong.length} wrong, ${seconds} s`,
  )
  if (wrong.length === 0) return
  for (const text of [...said, ...wrong.slice(0, 12)]) wanted.say(text)
  writeFileSync(`${path}.wrong`, [state.modes, ...said, ...wrong].join('\n\n'))
}

interface State {
  /** modes and settings of kube-proxy */
  readonly modes: string
  readonly settings: ReadonlyMap<string, ProxySettings>
  readonly services: DrawnServices
  readonly guests: readonly DrawnPod[]
  /** what is to be done to nodes beside */
  readonly disorders: readonly (Disorder & { readonly node: string })[]
  /** addresses that nodes have now, beside those they began with */
  readonly addresses: readonly string[]
}

const inShell = (cluster: Cluster, node: string, lines: readonly string[]) =>
  cluster.exec(node, ['sh', '-c', ['exec 2>&1', ...lines, ':'].join('\n')])

/** Last, as a node may lose the API by it; what was done, and what nodes said of it. */
async function disturb(cluster: Cluster, { disorders }: State): Promise<readonly string[]> {
  const said = await Promise.all(
    disorders.map(async ({ node, lines }) =>
      [...lines, await inShell(cluster, node, lines)].filter(Boolean).map((line) => `    ${node}: ${line}`),
    ),
  )
  return said.flat()
}

/** Gives the cluster other services and kube-proxies other settings. */
async function arrange({ cluster, modes, own, nodes, families, addresses }: World, r: Random): Promise<State> {
  const guests = drawGuests(r, nodes)
  const services = drawServices({ r, nodes, families, pods: [...addresses, ...(await replaceGuests(cluster, guests))] }, 14)
  await settlePods(cluster, guests)
  const shared = drawProxy(r, modes, families, 0)
  const mixed = r.chance(0.4)
  const settings = new Map(cluster.nodes.map((node, i) => [node, mixed ? drawProxy(r, modes, families, i) : shared]))
  const disorders = cluster.nodes.map((node, i) => ({
    node,
    ...(r.chance(0.7) ? drawDisorder(r, families, i, nodes, addresses) : { lines: [], addresses: [] }),
  }))
  await Promise.all(cluster.nodes.map((node) => inShell(cluster, node, order)))
  await replaceServices(cluster, services)
  await restartProxies(cluster, own, settings, families)
  return {
    settings,
    services,
    guests,
    modes: [...new Set([...settings.values()].map(({ mode, config }) => `${mode} ${JSON.stringify(config)}`))].join(' | '),
    disorders,
    addresses: disorders.flatMap((disorder) => disorder.addresses),
  }
}

/** Opens connections to what is there now. */
async function keepOpen({ cluster, agent, nodes, families }: World, r: Random, count: number): Promise<readonly KeptFlow[]> {
  if (count === 0) return []
  const list = async <T extends { readonly metadata: object }>(kind: string) =>
    (JSON.parse(await cluster.kubectl(['-n', namespace, 'get', kind, '-o', 'json'])) as { readonly items: readonly T[] }).items
  const [services, pods] = await Promise.all([list<Service>('services'), list<Pod>('pods')])
  // administrators come later
  const flows = drawFlows({ r, services, pods, nodes, families, addresses: [] }, count)
  // a sender that goes takes its connections along
  const lasting = flows.filter(({ from }) => !from.name.startsWith(`${namespace}/guest`))
  return await openKept(agent, lasting, await sendersOf(cluster))
}

/** The next packets of open connections, against what netctl says of them; how many of them it could tell. */
async function judgeKept(agent: Agent, path: string, snapshot: Snapshot, opened: readonly KeptFlow[], tally: Tally) {
  writeFileSync(`${path}.kept`, opened.map((flow) => `${JSON.stringify(flow)}\n`).join(''))
  const predicted = opened.map((flow) => predictKept(snapshot, flow)).filter(({ trace }) => isTold(trace, tally))
  const traces = new Map(predicted.map(({ flow, trace }) => [flow.id, trace]))
  const [services, slices] = [listed<Service>(path, 'services.json'), listed<Slice>(path, 'endpointslices.discovery.k8s.io.json')]
  const asked = await askKept(
    predicted.map(({ flow }) => flow),
    traces,
    agent,
  )
  await agent.letGo()
  const wrong = asked.flatMap(({ flow, seen, how }) => {
    const trace = traces.get(flow.id) as Trace
    const stale = flow.state === 'new' ? [] : misjudged(flow, trace, seen, services, slices)
    return [...explained(flow, trace), ...stale, ...(how === undefined ? [] : [`\n  ${how}`])].map(
      (what) => `kept ${textOf(flow)}: ${what}`,
    )
  })
  return { told: predicted.length, wrong }
}

function predict(snapshot: Snapshot, flows: readonly RandomFlow[]) {
  const traces = new Map<string, Trace>()
  const wrong: string[] = []
  for (const flow of flows) {
    try {
      const trace = traceFlow(snapshot, flow, { id: flow.id })
      traces.set(flow.id, trace)
      wrong.push(...explained(flow, trace).map((what) => `${textOf(flow)}: ${what}`))
    } catch (error) {
      wrong.push(`${textOf(flow)}: ${(error as Error).stack}`)
    }
  }
  return { traces, wrong }
}

/** Is it decided? What is not is counted; so is what leaves for the world, which is supposed to answer: an address that a Service has had. */
export function isTold(trace: Trace | undefined, tally: Tally): boolean {
  const unsure = trace?.outcomes.find(({ verdict }) => verdict === 'undecided')
  const world = trace?.outcomes.some(({ endpoint }) => endpoint === `external/${trace.flow.dst}`)
  if (!unsure && !world) return trace !== undefined
  tally.undecided++
  // without addresses
  const reason = (unsure?.reason ?? 'the world is supposed to answer').replace(/\b[\da-f.]*[.:][\da-f.:]+\b|service\/\S+/g, '…')
  tally.reasons.set(reason, (tally.reasons.get(reason) ?? 0) + 1)
  return false
}

/**
 * A router tells a sender five times in a row that there is no way, then once a second (net.ipv4.route.error_burst, the first namespace's own), whoever
 * asks: the few that are left are asked one by one, when it has forgotten the others.
 */
export async function patiently<F extends ShopFlow>(
  left: ReadonlyMap<F, string>,
  ask: (some: readonly F[]) => Promise<ReadonlyMap<F, string>>,
): Promise<ReadonlyMap<F, string>> {
  const still = new Map<F, string>()
  for (const [i, [flow, how]] of [...left].entries()) {
    if (i < 10) await sleep(6000)
    const again = i < 10 ? await ask([{ ...flow, times: Math.min(flow.times, 5) }]) : [[flow, how] as const]
    for (const [, now] of again) still.set(flow, now)
  }
  return still
}

export const textOf = ({ id, from, proto, dst, port }: ShopFlow): string => `#${id} ${from.kind}/${from.name} ${proto} ${dst} ${port ?? ''}`

const ofShop = ({ metadata }: { readonly metadata: object }): boolean =>
  (metadata as { readonly namespace?: string }).namespace === namespace

/** netctl sends packets itself, one a flow, and watches every step of them. */
async function verified({ kubeconfig }: Cluster, file: string, flows: readonly RandomFlow[]): Promise<readonly string[]> {
  writeFileSync(file, flows.map((flow) => `${JSON.stringify(flow)}\n`).join(''))
  const ran = await netctl(['trace', '--flows', file, '--verify', '--yes', '--kubeconfig', kubeconfig, ...byPod, '-o', 'jsonl', '--brief'])
  const lines = ran.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { readonly id: string; readonly verification?: { readonly result: string } })
  const others = lines.flatMap(({ id, verification }) =>
    verification?.result !== 'differs' ? [] : [`verify ${id}: ${JSON.stringify(verification)}`],
  )
  return lines.length === flows.length
    ? others
    : [...others, `verify: ${lines.length} of ${flows.length} answers, exit ${ran.code}: ${ran.stderr}`]
}
