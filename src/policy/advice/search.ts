import { evaluate } from '../evaluate.ts'
import type { PolicyFlow } from '../flow.ts'
import type { PolicyWorld } from '../world.ts'
import { candidatesFor } from './candidates.ts'
import { applyEdit, type Edit } from './edit.ts'

/** The smallest change that was found, and the world in which it was made. */
export interface Advice {
  readonly edits: readonly Edit[]
  readonly world: PolicyWorld
}

/** edits that a change may consist of */
const DEEPEST = 3
/** worlds that are tried for one change: more would not be worth the wait */
const BUDGET = 120

/**
 * Looks for the smallest change after which all the flows fare as wanted: one edit, else two, else three, each edit of one criterion.
 * Every change is made and the flows are judged again, so what is found holds. Undefined: none that small.
 */
export function smallestChange(world: PolicyWorld, flows: readonly PolicyFlow[], wanted: 'allow' | 'deny'): Advice | undefined {
  const search: Search = { flows, wanted, left: BUDGET }
  for (let depth = 1; depth <= DEEPEST && search.left > 0; depth++) {
    const found = tryOut(search, world, depth)
    if (found) return found
  }
  return undefined
}

interface Search {
  readonly flows: readonly PolicyFlow[]
  readonly wanted: 'allow' | 'deny'
  left: number
}

function tryOut(search: Search, world: PolicyWorld, depth: number): Advice | undefined {
  const next = unmet(search, world)
  if (!next) return { edits: [], world }
  for (const edit of candidatesFor(world, next, search.wanted)) {
    if (search.left-- <= 0) return undefined
    const changed = applyEdit(world, edit)
    const open = unmet(search, changed)
    if (!open) return { edits: [edit], world: changed }
    // a change that brings nothing by itself may still be half of one; one that does nothing to the flow's path is none
    if (depth === 1 || !helps(world, changed, next)) continue
    const more = tryOut(search, changed, depth - 1)
    if (more) return { edits: [edit, ...more.edits], world: more.world }
  }
  return undefined
}

const unmet = ({ flows, wanted }: Search, world: PolicyWorld): PolicyFlow | undefined =>
  flows.find((flow) => {
    const { verdict } = evaluate(world, flow)
    return wanted === 'allow' ? verdict !== 'allow' && verdict !== 'l4-only' : verdict !== 'deny'
  })

/** Does another rule decide now, on either side? */
function helps(before: PolicyWorld, after: PolicyWorld, flow: PolicyFlow): boolean {
  const path = (world: PolicyWorld): string => {
    const { egress, ingress } = evaluate(world, flow)
    return [egress, ingress]
      .map(
        ({ verdict, steps }) =>
          `${verdict} ${steps.map((step) => (step.kind === 'rule' ? `${step.tier.name} ${step.policy.kind} ${step.policy.namespace} ${step.policy.name} ${step.position}` : step.kind)).join()}`,
      )
      .join(' | ')
  }
  return path(before) !== path(after)
}
