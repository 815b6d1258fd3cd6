import { members } from '../../cluster/bitset.ts'
import { matches } from '../../cluster/selector/evaluate.ts'
import { readLabelSelector } from '../../cluster/selector/kubernetes.ts'
import { labelMap } from '../../cluster/selector/labels.ts'
import type { Policy } from '../model.ts'
import { placesOf, selected } from '../places.ts'
import type { PolicyWorld } from '../world.ts'
import { type Check, type Found, isNetworkPolicy, type LintInput, nameOf, policiesOf, within, written } from './finding.ts'
import { missingLabel } from './missing-label.ts'
import { type AtHand, namespacesMeant } from './namespaces-at-hand.ts'

/** Told only where pods of the policy's namespaces are in the input. */
export const subjectSelectsNothing: Check = {
  code: 'LNT001',
  severity: 'warning',
  title: 'A policy selects no pod and no host endpoint',
  *find(input) {
    const { world } = input
    for (const policy of policiesOf(world)) {
      if (policy.stagedAction === 'Delete' || selectsSome(world, policy)) continue
      const around = namespacesMeant(world, policy.subject)
      if (around.every(({ endpoints }) => endpoints === 0)) continue
      const hosts = onHostNetwork(input, policy)
      yield hosts > 0 ? ofHosts(policy, hosts) : ofNobody(policy, around)
    }
  },
}

function selectsSome(world: PolicyWorld, { subject }: Policy): boolean {
  for (const place of members(selected(placesOf(world), subject))) return place < world.endpoints.length
  return false
}

function ofHosts(policy: Policy, hosts: number): Found {
  return {
    at: within(policy.origin, 'spec', 'podSelector'),
    message: `${nameOf(policy)} selects only pods on the host's network (${hosts}), which policies of pods do not apply to`,
    fix: 'police their nodes (HostEndpoint and GlobalNetworkPolicy), or take the pods off the host network',
  }
}

function ofNobody(policy: Policy, around: readonly AtHand[]): Found {
  const hint = missingLabel(policy.subject, around)
  return {
    at: within(policy.origin, 'spec', ...selectorField(policy)),
    // what looks like nothing that is there may be waiting for a label, as a quarantine does
    severity: hint?.near ? 'warning' : 'note',
    message: `${nameOf(policy)} selects nothing: none of the ${sum(around)} endpoints it could mean has the labels${hint ? `; none has ${hint.wanted}` : ''}`,
    fix: hint?.near ? `did you mean ${hint.near}?` : 'mend the selector, or delete the policy',
  }
}

const selectorField = (policy: Policy): readonly string[] => {
  for (const field of ['podSelector', 'subject', 'selector'])
    if (written(within(policy.origin, 'spec', field)) !== undefined) return [field]
  return []
}

/** How many pods on the host's network a NetworkPolicy would select. */
function onHostNetwork({ loaded }: LintInput, policy: Policy): number {
  if (!isNetworkPolicy(policy)) return 0
  const selector = readLabelSelector(written(within(policy.origin, 'spec', 'podSelector')) ?? {})
  if (selector.kind === 'invalid') return 0
  return loaded.filter(({ resource }) => {
    if (resource.kind !== 'Pod' && resource.kind !== 'Workload') return false
    const { hostNetwork, labels } = resource.kind === 'Pod' ? resource : resource.template
    return hostNetwork && resource.metadata.namespace === policy.namespace && matches(selector, labelMap(labels))
  }).length
}

const sum = (around: readonly AtHand[]): number => around.reduce((n, { endpoints }) => n + endpoints, 0)
