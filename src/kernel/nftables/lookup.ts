/** Looking up a key in a set or map: nft_lookup.c, and what to do about keys that are not known in full. */
import { stillThere } from '../elapsed.ts'
import type { NftEnv } from './env.ts'
import type { NftElement, SetExpression } from './expression-types.ts'
import { doubtful, fitOf, type Operand } from './operand.ts'
import { elementKey, findElement, isKnown } from './set-index.ts'

/** One way that a lookup may go; `weight` is its probability where that is known. */
interface Arm {
  readonly element: NftElement | undefined
  readonly weight: number | undefined
}

export type Found =
  | { readonly kind: 'element'; readonly element: NftElement }
  | { readonly kind: 'none' }
  /** `dice`: the kernel throws them; otherwise the key is something fixed that the snapshot doesn't tell */
  | { readonly kind: 'maybe'; readonly arms: readonly Arm[]; readonly what: string; readonly dice: boolean }

const none: Found = { kind: 'none' }

/** Below this chance to hit them, a port chosen at random is taken to miss the few that a set singles out. */
export const REMOTE = 0.001

/** Searches the elements of the dump and what the walk itself has put there. */
export function lookup(set: SetExpression, key: Operand, env: NftEnv): Found {
  const elements = set.kind === 'set' ? set.elements : env.elements(set.name)
  const own = set.kind === 'setref' ? env.added(set.name)?.get(elementKey(key)) : undefined
  if (own !== undefined) return own ? { kind: 'element', element: own } : none
  if (!isKnown(key)) return search(elements, key, set.kind === 'set' ? 'the rule' : `set ${set.name}`)
  const element = findElement(elements, key)
  if (!element) return none
  const there = element.expires === undefined || stillThere(element.expires / 1000, env.elapsed)
  if (there !== undefined) return there ? { kind: 'element', element } : none
  const what = `an element of ${set.kind === 'setref' ? `set ${set.name}` : 'a set in a rule'} ends about now`
  const arms = [element, undefined].map((e) => ({ element: e, weight: undefined }))
  return { kind: 'maybe', arms, what, dice: false }
}

/** Every element that the key may turn out to be, with its share of what the key may be. */
function search(elements: readonly NftElement[], key: Operand, where: string): Found {
  const arms: Arm[] = []
  let rest = 1
  let any: NftElement | undefined
  for (const element of elements) {
    if (element.key.kind === 'any') {
      any = element
      continue
    }
    const share = fitOf(element.key, key)
    if (share === false) continue
    if (share === true) return { kind: 'element', element }
    arms.push({ element, weight: share })
    rest -= share ?? 0
  }
  const otherwise: Found = any ? { kind: 'element', element: any } : none
  if (arms.length === 0) return otherwise
  const measured = arms.every((a) => a.weight !== undefined)
  if (measured && rest < 1e-9) rest = 0
  if (rest > 0) arms.push({ element: any, weight: measured ? rest : undefined })
  const what = doubtful(key)
  return { kind: 'maybe', arms, what: measured && isDice(key) ? what : `${what}: is it in ${where}?`, dice: measured && isDice(key) }
}

const isDice = (x: Operand): boolean => (x.kind === 'one of' ? x.dice === true : x.kind === 'concat' && x.parts.some(isDice))

/** The chance to hit an element at all; undefined if it can't be told. */
export function chanceOf(found: Extract<Found, { kind: 'maybe' }>): number | undefined {
  let sum = 0
  for (const { element, weight } of found.arms) {
    if (weight === undefined) return undefined
    if (element) sum += weight
  }
  return found.arms.length === 0 ? undefined : sum
}

/** Follows one way of a lookup: the kernel's dice as branches of their weight, what is not known as questions to the walk. */
export function settle(found: Found, env: NftEnv): NftElement | undefined {
  if (found.kind !== 'maybe') return found.kind === 'element' ? found.element : undefined
  const { arms, what, dice } = found
  if (dice) {
    const weights = arms.map((a) => a.weight ?? 0)
    return arms[env.pick(weights, what)]?.element
  }
  const chance = chanceOf(found)
  if (chance !== undefined && chance < REMOTE) {
    env.assume('a port chosen at random is taken to be none of the few that rules single out')
    return arms.at(-1)?.element
  }
  for (const [i, arm] of arms.entries()) {
    if (i === arms.length - 1 || env.unknown(arms.length === 1 ? what : `${what} (${i + 1})`)) return arm.element
  }
  return undefined
}
