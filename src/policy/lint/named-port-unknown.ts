import { includes, members } from '../../cluster/bitset.ts'
import { nearest } from '../../nearest.ts'
import type { Direction, Policy, Rule } from '../model.ts'
import { placesOf, selected } from '../places.ts'
import { protocolName } from '../protocols.ts'
import type { Endpoint, PolicyWorld } from '../world.ts'
import { type Check, DIRECTIONS, nameOf, policiesOf, ruleAt, rulesOf } from './finding.ts'

/** A name is looked up at the pod whose port is meant: with ingress the policy's own, with egress the peer. */
export const namedPortUnknown: Check = {
  code: 'LNT003',
  severity: 'warning',
  title: 'A rule names a port that none of the pods it is about has',
  *find({ world }) {
    const told = new Set<string>()
    for (const policy of policiesOf(world)) {
      for (const direction of DIRECTIONS) {
        for (const rule of rulesOf(policy, direction)) {
          for (const end of ['source', 'destination'] as const) {
            const names = [...(rule[end].ports?.names ?? []), ...(rule[end].notPorts?.names ?? [])]
            if (names.length === 0) continue
            const pods = endpointsMeant(world, policy, direction, rule, end)
            if (pods.length === 0) continue
            for (const name of names) {
              const key = `${nameOf(policy)} ${direction} ${rule.index} ${name} ${rule.protocol}`
              if (told.has(key) || pods.some((pod) => hasPort(pod, name, rule.protocol))) continue
              told.add(key)
              yield {
                at: ruleAt(policy, direction, rule),
                message: `port ${name} leads nowhere in this rule of ${nameOf(policy)}: ${whose(pods)} ${pods.length === 1 ? 'has' : 'have'} no ${rule.protocol === undefined ? '' : `${protocolName(rule.protocol)} `}port of that name`,
                fix: remedy(pods, name, rule.protocol),
              }
            }
          }
        }
      }
    }
  },
}

function endpointsMeant(
  world: PolicyWorld,
  policy: Policy,
  direction: Direction,
  rule: Rule,
  end: 'source' | 'destination',
): readonly Endpoint[] {
  const places = placesOf(world)
  const own = (direction === 'ingress') === (end === 'destination')
  const sets = [own ? policy.subject : undefined, rule[end].selector].flatMap((selector) => (selector ? selected(places, selector) : []))
  const [first, ...others] = sets
  if (!first) return world.endpoints
  return [...members(first)].flatMap((place) => {
    const endpoint = others.every((set) => includes(set, place)) ? world.endpoints[place] : undefined
    return endpoint ?? []
  })
}

const hasPort = (pod: Endpoint, name: string, protocol: number | undefined): boolean =>
  pod.ports.some((port) => port.name === name && (protocol === undefined || port.protocol === protocol))

const whose = (pods: readonly Endpoint[]): string =>
  pods.length === 1 ? (pods[0] as Endpoint).id : `the ${pods.length} pods that it is about`

function remedy(pods: readonly Endpoint[], name: string, protocol: number | undefined): string {
  const other = pods.flatMap(({ ports }) => ports).find((port) => port.name === name)
  if (other) return `${name} is a ${protocolName(other.protocol)} port: say so in the rule`
  const [near] = nearest(
    name,
    pods.flatMap(({ ports }) =>
      ports.filter((port) => protocol === undefined || port.protocol === protocol).flatMap((port) => port.name || []),
    ),
    1,
  )
  return near ? `did you mean ${near}?` : 'give the container port that name, or write the number'
}
