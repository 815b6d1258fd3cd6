/**
 * What policies mean, held against what packets did: a flow that the engine denies is never seen at its destination, and one that it allows is, but for
 * faults beside policies.
 */
import { type Ip, ip } from '../../src/net/ip.ts'
import { evaluate } from '../../src/policy/evaluate.ts'
import type { End, FlowClass } from '../../src/policy/flow.ts'
import { pathOf } from '../../src/policy/path.ts'
import { placesAt, placesOf } from '../../src/policy/places.ts'
import { PROTOCOLS } from '../../src/policy/protocols.ts'
import { resolveEnd } from '../../src/policy/query/ends.ts'
import type { PolicyWorld } from '../../src/policy/world.ts'

interface Result {
  readonly outcome: string
  readonly how?: string
  readonly pod?: string
  readonly seen_src?: string
  readonly seen_dport?: number
}

export interface Truth {
  readonly id: string
  readonly from: {
    readonly kind: 'pod' | 'node' | 'external'
    readonly name: string
    readonly node?: string
    readonly ip: string
    readonly ip6?: string
  }
  readonly proto: string
  readonly dst: string
  readonly port?: number
  readonly via: string
  readonly results: readonly Result[]
}

export const protocolOf = ({ proto }: Truth): number => PROTOCOLS.get(proto.toUpperCase()) ?? 0
export const portOf = ({ port }: Truth) => (port === undefined ? {} : { port })

/** Delivered, or refused by the destination itself; an ICMP error from a node is how a policy rejects. */
export const reached =
  ({ dst }: Truth) =>
  ({ outcome, how }: Result): boolean =>
    outcome === 'delivered' || (outcome === 'refused' && (how === undefined || !how.startsWith('icmp') || how.endsWith(` ${dst}`)))

/** What a flow shows that the engine does not say. */
export function contradiction(world: PolicyWorld, truth: Truth, faulty: boolean): string[] {
  return truth.via.startsWith('svc') ? ofService(world, truth) : ofPod(world, truth, faulty)
}

/** To a pod's own address. */
function ofPod(world: PolicyWorld, truth: Truth, faulty: boolean): string[] {
  const pod = podAt(world, truth.dst)
  // hostNetwork pods are reached by their node's address, which masquerading makes a matter of nodes: test/trace walks those
  if (!pod) return []
  const passed = truth.results.some(reached(truth))
  return sources(world, truth).flatMap((source) => {
    const { allowed, egress, ingress } = evaluate(world, {
      source,
      destination: only(pod, ip(truth.dst)),
      protocol: protocolOf(truth),
      ...portOf(truth),
    })
    const path = [...pathOf(egress), '/', ...pathOf(ingress)].join(', ')
    if (!allowed && passed) return [`${truth.id} ${source.id} reached ${pod.id} ${truth.proto} ${truth.port}, denied by ${path}`]
    if (allowed && !passed && !faulty)
      return [`${truth.id} ${source.id} did not reach ${pod.id} ${truth.proto} ${truth.port}, allowed by ${path}`]
    return []
  })
}

/** Through a Service: whoever answered may be reached. What did not answer may have other reasons. */
function ofService(world: PolicyWorld, truth: Truth): string[] {
  return truth.results.flatMap((result) => {
    const destination = result.outcome === 'delivered' && result.pod ? resolveEnd(world, result.pod) : undefined
    // how a host is reached through a Service is up to kube-proxy's mode (IPVS: as forwarded traffic): test/trace walks that
    if (destination?.endpoint?.kind !== 'pod' || result.seen_src === undefined) return []
    const seen = ip(result.seen_src)
    // masqueraded traffic is the node's at the other end, and the pod's at its own
    const own = sources(world, truth).filter(({ endpoint }) => endpoint !== undefined)
    const address = destination.addresses.find(({ family }) => family === seen.family)
    if (!address || truth.from.name === result.pod) return []
    const ask = (source: End) =>
      evaluate(world, {
        source,
        destination: only(destination, address),
        protocol: protocolOf(truth),
        ...(result.seen_dport && { port: result.seen_dport }),
      })
    const bare = resolveEnd(world, seen.text)
    // a node's own packets to its pods are not policed, whatever address IPVS gives them
    const local = truth.from.kind === 'node' && truth.from.name === destination.node
    const denied = [...own.map((source) => ask(source).egress), ...(bare && !local ? [ask(bare).ingress] : [])].filter(
      (x) => x.verdict === 'deny',
    )
    return denied.length > 0 ? [`${truth.id} ${truth.from.name} reached ${result.pod}, denied by ${denied.flatMap(pathOf).join()}`] : []
  })
}

/** The sender, with the address that the destination saw where that is told. */
function sources(world: PolicyWorld, { from, dst, results }: Truth): End[] {
  const six = dst.includes(':')
  if (from.kind === 'pod') {
    const end = resolveEnd(world, from.name)
    if (!end?.endpoint) return []
    return [{ ...end, addresses: end.addresses.filter(({ family }) => (family === 6) === six) }]
  }
  const seen = results.find(({ seen_src }) => seen_src !== undefined)?.seen_src
  const address = seen ?? (from.kind === 'external' ? (six ? from.ip6 : from.ip) : undefined)
  const end = address === undefined ? undefined : resolveEnd(world, address)
  if (from.kind !== 'node' || !end) return end ? [end] : []
  const node = resolveEnd(world, `node/${from.name}`)
  return node ? [{ ...node, addresses: end.addresses }] : []
}

function podAt(world: PolicyWorld, address: string): End | undefined {
  const [place] = placesAt(placesOf(world), ip(address))
  const endpoint = place === undefined ? undefined : world.endpoints[place]
  return endpoint?.kind === 'pod' ? resolveEnd(world, endpoint.id) : undefined
}

const only = (end: End, address: Ip): End => ({ ...end, addresses: [address] })

/** Open whatever policies say (felix/config/config_params.go). */
const FAILSAFE = [22, 179, 2379, 2380, 5473, 6443, 6666, 6667]

/** To processes of a node: the hooks of both ends' host endpoints, in turn. */
export function atHosts(world: PolicyWorld, truth: Truth, faulty: boolean): string[] {
  const { from, dst, results } = truth
  const seen = results.find(({ seen_src }) => seen_src !== undefined)?.seen_src ?? (dst.includes(':') ? from.ip6 : from.ip)
  const source = seen === undefined ? undefined : resolveEnd(world, seen)
  const destination = resolveEnd(world, dst)
  const node = world.nodes.find(({ addresses }) => addresses.some(({ text }) => text === dst))?.name
  if (!source || !destination || node === from.name || (truth.proto === 'tcp' && FAILSAFE.includes(truth.port ?? 0))) return []
  const packet = { protocol: protocolOf(truth), ...portOf(truth) }
  const ask = (direction: 'egress' | 'ingress', host: End, hook: FlowClass) => {
    const end = direction === 'egress' ? { source: host, destination } : { source, destination: host }
    return evaluate(world, { ...end, ...packet, class: hook })[direction].verdict
  }
  const passes = (direction: 'egress' | 'ingress', name: string | undefined, address: Ip, hooks: readonly FlowClass[]): boolean => {
    const host = name === undefined ? undefined : resolveEnd(world, `node/${name}`)
    if (host?.endpoint?.kind !== 'host') return true
    const verdicts = hooks.map((hook) => ask(direction, { ...host, addresses: [address] }, hook))
    return verdicts.find((verdict) => verdict !== 'continue') !== 'deny'
  }
  const out = from.kind === 'node' ? from.name : undefined
  const allowed =
    passes('egress', out, source.addresses[0] as Ip, ['untracked', 'normal']) &&
    passes('ingress', node, destination.addresses[0] as Ip, ['untracked', 'preDNAT', 'normal'])
  const passed = results.some(reached(truth))
  return allowed === passed || (allowed && faulty) ? [] : [`${truth.id} ${from.name} to ${truth.via}: ${JSON.stringify(results[0])}`]
}
