import type { Edit } from '../../policy/advice/edit.ts'
import { isCalico } from '../../policy/advice/peer.ts'
import type { Advice } from '../../policy/advice/search.ts'
import type { Rule } from '../../policy/model.ts'
import { hasPorts, protocolName } from '../../policy/protocols.ts'
import { ruleTitle } from './decision-text.ts'
import { placeOf, placeText, policyTitle } from './names.ts'

/** A change in words, one clause an edit. */
export const adviceText = ({ edits }: Advice): string => edits.map(editText).join('; and ')

/** `add port 8080/TCP to rule 0 of NetworkPolicy shop/db-ingress (db.yaml:14)` */
export function editText(edit: Edit): string {
  switch (edit.kind) {
    case 'add-port':
      return `add ${portText(edit)} to ${ruleOf(edit)}`
    case 'add-peer':
      return isListed(edit)
        ? `add ${edit.peer.text} to ${ruleOf(edit)}`
        : `put a copy of ${ruleOf(edit)} behind it, with ${edit.direction === 'ingress' ? 'source' : 'destination'} ${edit.peer.text}`
    case 'add-rule': {
      const { policy, direction, action, before, peer } = edit
      const word = action === 'allow' && policy.kind === 'KubernetesClusterNetworkPolicy' ? 'accept' : action
      const rule = `${word} ${portText(edit)} ${direction === 'ingress' ? 'from' : 'to'} ${peer.text}`
      return before
        ? `put a rule before ${ruleOf({ policy, rule: before })}: ${rule}`
        : `add a rule to ${policyTitle(policy)} (${placeText(placeOf(policy.origin))}): ${rule}`
    }
    case 'remove-port':
      return `take ${portText(edit)} out of ${ruleOf(edit)}`
    case 'remove-peer':
      return `take the peer at ${placeText(placeOf(edit.peer))} out of ${ruleOf(edit)}`
    case 'remove-rule':
      return `remove ${ruleOf(edit)}, or narrow it`
    case 'add-policy': {
      const { direction, namespace, subject } = edit
      return `no policy selects it for ${direction}: add a NetworkPolicy to namespace ${namespace} with ${subject.text} and policyTypes [${direction === 'ingress' ? 'Ingress' : 'Egress'}]`
    }
  }
}

/** Peers of Kubernetes' rules are lists; what an end of a Calico rule says must all hold, and only its nets, of one family, are one. */
function isListed({ policy, rule, direction, peer }: Extract<Edit, { kind: 'add-peer' }>): boolean {
  if (!isCalico(policy.kind)) return true
  const { ports: _ports, nets: [net] = [], ...others } = rule[direction === 'ingress' ? 'source' : 'destination']
  return net !== undefined && net.ip.family === peer.peer.nets?.[0]?.ip.family && Object.keys(others).length === 0
}

function ruleOf({ policy, rule }: { readonly policy: Parameters<typeof policyTitle>[0]; readonly rule: Rule }): string {
  return `${ruleTitle(rule)} of ${policyTitle(policy)}${rule.origin ? ` (${placeText(placeOf(rule.origin))})` : ''}`
}

const portText = ({ protocol, port }: { readonly protocol: number; readonly port?: number }): string =>
  hasPorts(protocol) && port !== undefined ? `port ${port}/${protocolName(protocol)}` : protocolName(protocol)
