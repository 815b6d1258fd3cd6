/** A tunnel that does not take, or does not give out, what its routes bring: whose way it is. */
import { isTunnel } from '../../kernel/link/types.ts'
import { networkOf } from './addresses.ts'
import { type Explain, lastHand, nodeOf } from './case.ts'

/** The walk names the device and what it lacks; here is said what goes through it, since a device serves many. */
export const tunnel: Explain = (c) => {
  const { blame } = c
  if (blame.kind !== 'link' || blame.place.host.kind !== 'node') return undefined
  const near = lastHand(c.steps)
  const device = near?.place === blame.place ? near.route.nexthops[0]?.device : undefined
  const link = device === undefined ? undefined : blame.place.links.get(device)
  const address = networkOf(c.world, c.packet.dst)
  if (!link || !isTunnel(link) || !address || blame.entry.includes(address.network)) return undefined
  return {
    node: nodeOf(blame.place),
    kind: 'link',
    entry: `${blame.entry}: ${address.network} is behind ${device}`,
    ...(blame.source && { source: blame.source }),
  }
}
