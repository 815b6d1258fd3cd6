import { contains, type Ip } from '../net/ip.ts'
import type { PolicyFlow } from './flow.ts'
import type { PolicyWorld } from './world.ts'

/**
 * Does what a host sends to a pod of another node go into a tunnel? Then it leaves by the tunnel's device, which an endpoint of another interface
 * has no say about; and Felix lets the outer packets pass before any policy (felix/rules/static.go, filterOutputChain).
 * undefined: the input does not tell.
 */
export function goesByTunnel({ pools, nodes }: PolicyWorld, { source, destination }: PolicyFlow, to: Ip | undefined): boolean | undefined {
  if (!to) return undefined
  const pool = pools.filter(({ cidr }) => contains(cidr, to)).sort((x, y) => y.cidr.length - x.cidr.length)[0]
  if (!pool || destination.node === undefined) return undefined
  if (pool.tunnel !== 'CrossSubnet') return pool.tunnel === 'Always'
  const [own, other] = [source, destination].map(({ node }) => nodes.find(({ name }) => name === node))
  const subnet = own?.subnets.find(({ ip }) => ip.family === to.family)
  const peer = other?.subnets.find(({ ip }) => ip.family === to.family)
  return subnet && peer && !contains(subnet, peer.ip)
}

/** Is it a host's own packet to a pod of another node, and is the host's endpoint that of an interface? One for `*` judges tunnels' devices, too. */
export function leavesByInterface({ source, destination }: PolicyFlow): boolean {
  const { endpoint } = source
  return (
    endpoint?.kind === 'host' && endpoint.interfaceName !== '*' && destination.endpoint?.kind === 'pod' && source.node !== destination.node
  )
}
