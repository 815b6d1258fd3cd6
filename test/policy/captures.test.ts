/**
 * What policies mean against what packets did: the flows of the recorded clusters, run by real Calico. A flow that the engine denies
 * is never seen at its destination, and one that it allows is, but for the faults that some captures have on purpose.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readManifest } from '../../src/cluster/manifest/read.ts'
import { type Ip, ip } from '../../src/net/ip.ts'
import { buildWorld } from '../../src/policy/build.ts'
import { resolveEnd } from '../../src/policy/ends.ts'
import { evaluate } from '../../src/policy/evaluate.ts'
import type { End } from '../../src/policy/flow.ts'
import { pathOf } from '../../src/policy/path.ts'
import { placesAt, placesOf } from '../../src/policy/places.ts'
import { PROTOCOLS } from '../../src/policy/protocols.ts'
import { readResource } from '../../src/policy/resources/read.ts'
import type { PolicyWorld } from '../../src/policy/world.ts'
import { captureNames, captures } from '../support/captures.ts'
import { needs } from '../support/needs.ts'

interface Result {
  readonly outcome: string
  readonly how?: string
  readonly pod?: string
  readonly seen_src?: string
  readonly seen_dport?: number
}

interface Truth {
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

/** Where packets are lost that policies allow. The other way round no fault helps. */
const FAULTS: Readonly<Record<string, string>> = {
  'broken-admin-chain': 'a chain of somebody else drops',
  'broken-bgp-session': 'routes are missing',
  'broken-hep-ipv6-ndp': 'host endpoint policies drop neighbour discovery',
  'broken-ip-forward': 'a node does not forward',
  'broken-missing-route': 'a route is missing',
  'broken-mtu': 'big packets are lost',
  'broken-veth-deleted': 'a pod has no device',
  'broken-vxlan-down': 'a tunnel is down',
  'ipip-crosssubnet-ipvs-dualstack': 'host endpoint policies of n3 drop IPv6 neighbour discovery',
}

describe.runIf(needs('captures'))('packets of recorded clusters', () => {
  for (const name of captureNames()) {
    const truth = truthOf(name).filter(({ via }) => via.startsWith('pod') || via.startsWith('svc'))
    it.runIf(truth.length > 0)(name, () => {
      const world = worldOf(name)
      expect(truth.flatMap((flow) => contradiction(world, flow, FAULTS[name] !== undefined))).toEqual([])
    })
  }
})

function truthOf(name: string): Truth[] {
  const lines = readFileSync(join(captures, name, 'truth.jsonl'), 'utf8').split('\n')
  return lines.filter(Boolean).map((line) => JSON.parse(line) as Truth)
}

function worldOf(name: string): PolicyWorld {
  const dir = join(captures, name, 'cluster')
  const files = readdirSync(dir).filter((file) => /\.json(\.gz)?$/.test(file))
  const objects = files.flatMap((file) => {
    const bytes = readFileSync(join(dir, file))
    return readManifest((file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString(), file, { namespace: 'default' }).objects
  })
  return buildWorld(
    objects.flatMap((object) => {
      const read = readResource(object)
      if (read.kind === 'refused') throw new Error(`${object.kind} ${object.name}: ${JSON.stringify(read.problems)}`)
      return read.kind === 'resource' ? [{ object, resource: read.resource }] : []
    }),
  )
}

/** What a flow shows that the engine does not say. */
function contradiction(world: PolicyWorld, truth: Truth, faulty: boolean): string[] {
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
const protocolOf = ({ proto }: Truth): number => PROTOCOLS.get(proto.toUpperCase()) ?? 0
const portOf = ({ port }: Truth) => (port === undefined ? {} : { port })

/** Delivered, or refused by the destination itself; an ICMP error from a node is how a policy rejects. */
const reached =
  ({ dst }: Truth) =>
  ({ outcome, how }: Result): boolean =>
    outcome === 'delivered' || (outcome === 'refused' && (how === undefined || !how.startsWith('icmp') || how.endsWith(` ${dst}`)))
