import { formatPrefix, fromWords, type Prefix, parsePrefix } from '../../net/ip.ts'
import { isWithin } from '../covers.ts'
import type { Direction, Origin } from '../model.ts'
import type { CalicoRule } from '../resources/calico-rule.ts'
import { type Check, type LintInput, nameOf } from './finding.ts'
import { type KubernetesPolicy, peerLists } from './peer-lists.ts'

/** A list of blocks as an object has it. */
export interface CidrList {
  readonly origin: Origin
  readonly cidrs: readonly { readonly text: string; readonly prefix: Prefix; readonly path: Origin['path'] }[]
  /** where it stands in a policy; absent: in a network set */
  readonly rule?: { readonly direction: Direction; readonly end: 'source' | 'destination'; readonly negated: boolean }
}

/** Every list of blocks of the input, with the place of each block. */
export function* cidrLists({ loaded }: LintInput): Iterable<CidrList> {
  for (const { resource, object } of loaded) {
    const list = (texts: readonly string[], path: Origin['path'], rule?: CidrList['rule']): CidrList => ({
      origin: { object, path },
      cidrs: texts.flatMap((text, i) => {
        const prefix = parsePrefix(text)
        return prefix ? [{ text, prefix, path: [...path, i] }] : []
      }),
      ...(rule && { rule }),
    })
    switch (resource.kind) {
      case 'NetworkSet':
      case 'GlobalNetworkSet':
        yield list(resource.nets, ['spec', 'nets'])
        break
      case 'NetworkPolicy':
      case 'StagedKubernetesNetworkPolicy':
        yield* ofKubernetes(resource, list)
        break
      case 'AdminNetworkPolicy':
      case 'BaselineAdminNetworkPolicy':
      case 'ClusterNetworkPolicy':
        for (const [i, { peers }] of resource.egress.entries()) {
          for (const [p, peer] of peers.entries()) {
            if (peer.kind !== 'networks') continue
            yield list(peer.networks, ['spec', 'egress', i, 'to', p, 'networks'], {
              direction: 'egress',
              end: 'destination',
              negated: false,
            })
          }
        }
        break
      case 'CalicoNetworkPolicy':
      case 'GlobalNetworkPolicy':
      case 'StagedNetworkPolicy':
      case 'StagedGlobalNetworkPolicy':
        yield* ofCalico(resource.ingress, 'ingress', list)
        yield* ofCalico(resource.egress, 'egress', list)
        break
      default:
    }
  }
}

type MakeList = (texts: readonly string[], path: Origin['path'], rule?: CidrList['rule']) => CidrList

function* ofKubernetes(policy: KubernetesPolicy, list: MakeList): Iterable<CidrList> {
  for (const { peers, path, direction } of peerLists(policy)) {
    const end = direction === 'ingress' ? 'source' : 'destination'
    const blocks: CidrList['cidrs'][number][] = []
    for (const [p, { ipBlock }] of peers.entries()) {
      if (!ipBlock) continue
      const prefix = parsePrefix(ipBlock.cidr)
      // with exceptions a block is not all of its addresses
      if (prefix && ipBlock.except.length === 0) blocks.push({ text: ipBlock.cidr, prefix, path: [...path, p, 'ipBlock', 'cidr'] })
      yield list(ipBlock.except, [...path, p, 'ipBlock', 'except'], { direction, end, negated: true })
    }
    yield { ...list([], path, { direction, end, negated: false }), cidrs: blocks }
  }
}

function* ofCalico(rules: readonly CalicoRule[], direction: Direction, list: MakeList): Iterable<CidrList> {
  for (const [i, rule] of rules.entries()) {
    for (const end of ['source', 'destination'] as const) {
      const path = ['spec', direction, i, end]
      yield list(rule[end].nets, [...path, 'nets'], { direction, end, negated: false })
      yield list(rule[end].notNets, [...path, 'notNets'], { direction, end, negated: true })
    }
  }
}

export const cidrRedundant: Check = {
  code: 'LNT012',
  severity: 'note',
  title: 'A CIDR lies in another one of its list',
  *find(input) {
    for (const { origin, cidrs } of cidrLists(input)) {
      for (const [i, { text, prefix, path }] of cidrs.entries()) {
        const around = cidrs.find(
          (other, j) => j !== i && isWithin(prefix, [other.prefix]) && (j < i || other.prefix.length < prefix.length),
        )
        if (!around) continue
        yield {
          at: { object: origin.object, path },
          message: `${text} adds nothing in ${nameOf({ origin })}: ${around.text} of the same list contains it`,
          fix: 'delete it',
        }
      }
    }
  },
}

export const cidrHostBits: Check = {
  code: 'LNT013',
  severity: 'note',
  title: 'A CIDR has bits beyond its length, which mean nothing',
  *find(input) {
    for (const { origin, cidrs } of cidrLists(input)) {
      for (const { text, prefix, path } of cidrs) {
        const { family, a, b, c, d } = prefix.ip
        const network = formatPrefix(prefix)
        if (network === `${fromWords(family, a, b, c, d).text}/${prefix.length}`) continue
        yield {
          at: { object: origin.object, path },
          message: `${text} in ${nameOf({ origin })} means all of ${network}`,
          fix: `write ${network}, or ${prefix.ip.text}/${family === 4 ? 32 : 128} if the address alone is meant`,
        }
      }
    }
  },
}
