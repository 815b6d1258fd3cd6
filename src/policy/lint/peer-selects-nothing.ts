import { isEmpty } from '../../cluster/bitset.ts'
import { NAMESPACE } from '../../cluster/selector/calico.ts'
import type { Selector } from '../../cluster/selector/types.ts'
import { selectorWords } from '../../cluster/selector/words.ts'
import type { Origin, Policy } from '../model.ts'
import { placesOf, selected } from '../places.ts'
import { type Check, DIRECTIONS, type LintInput, nameOf, ruleAt, rulesOf, within, written } from './finding.ts'
import { missingLabel } from './missing-label.ts'
import { namespacesMeant } from './namespaces-at-hand.ts'

/** Told only where pods of the namespaces that it means are in the input. */
export const peerSelectsNothing: Check = {
  code: 'LNT002',
  severity: 'warning',
  title: 'A rule is about peers that do not exist',
  *find({ world }: LintInput) {
    const places = placesOf(world)
    // one peer may stand in several rules, one for each protocol or namespace
    const peers = new Map<string, Peer>()
    for (const policy of world.tiers.flatMap(({ policies }) => policies)) {
      for (const direction of DIRECTIONS) {
        for (const rule of rulesOf(policy, direction)) {
          for (const end of ['source', 'destination'] as const) {
            const { selector } = rule[end]
            if (selector === undefined) continue
            const at = rule.peerOrigin ?? endAt(ruleAt(policy, direction, rule), end)
            const key = `${nameOf(policy)} ${at.path.join('/')} ${end}`
            const empty = isEmpty(selected(places, selector)) && namespacesMeant(world, selector).length > 0
            const known = peers.get(key)
            if (known) known.empty &&= empty
            else peers.set(key, { at, policy, selector, end, empty })
          }
        }
      }
    }
    for (const { at, policy, selector, end, empty } of peers.values()) {
      if (!empty) continue
      const hint = missingLabel(selector, namespacesMeant(world, selector))
      yield {
        at,
        severity: hint?.near ? 'warning' : 'note',
        message: `nothing can be the ${end} of this rule of ${nameOf(policy)}: no endpoint or network set ${hint ? `${whereOf(selector)}has ${hint.wanted}` : `has ${selectorWords(selector)}`}`,
        fix: hint?.near ? `did you mean ${hint.near}?` : 'mend the selector, or delete the peer',
      }
    }
  },
}

/** A namespaced policy means its own namespace where it names no other. */
function whereOf(selector: Selector): string {
  const own = selector.kind === 'and' ? selector.operands.find((x) => x.kind === 'equal' && x.key === NAMESPACE) : undefined
  return own?.kind === 'equal' ? `of namespace ${own.value} ` : ''
}

interface Peer {
  readonly at: Origin
  readonly policy: Policy
  readonly selector: Selector
  readonly end: 'source' | 'destination'
  empty: boolean
}

/** The source or destination of Calico's rules; of others the rule. */
function endAt(rule: Origin, end: 'source' | 'destination'): Origin {
  const at = within(rule, end)
  return written(at) === undefined ? rule : at
}
