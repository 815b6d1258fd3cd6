import { contains, type Ip } from '../net/ip.ts'
import type { PolicyFlow } from './flow.ts'
import type { PolicyWorld } from './world.ts'

/**
 * Does a host's own packet to a pod of another node go into a tunnel, past the endpoint that is asked about it? By the tunnel's device it leaves, which
 * the endpoint of another interface has no say about (one for `*` has); and Felix lets the outer packets pass before any policy
 * (felix/rules/static.go, filterOutputChain). undefined: the input does not tell.
 */
export function goesByTunnel({ pools, nodes }: PolicyWorld, { source, destination }: PolicyFlow, to: Ip | undefined): boolean | undefined {
  const { endpoint } = source
  if (endpoint?.kind !== 'host' || endpoint.interfaceName === '*') return false
  if (destination.endpoint?.kind !== 'pod' || source.node === destination.node) return false
  if (!to || destination.node === undefined) return undefined
  const [pool] = pools.filter(({ cidr }) => contains(cidr, to)).sort((x, y) => y.cidr.length - x.cidr.length)
  if (pool?.tunnel !== 'CrossSubnet') return pool && pool.tunnel === 'Always'
  const [subnet, peer] = [source, destination].map(({ node }) =>
    nodes.find(({ name }) => name === node)?.subnets.find(({ ip }) => ip.family === to.family),
  )
  return subnet && peer && !contains(subnet, peer.ip)
}
