import { type Doubt, resolve } from '../../kernel/iptables/doubt.ts'
import type { NftElement } from '../../kernel/nftables/expression-types.ts'
import type { NftChain, NftRule } from '../../kernel/nftables/types.ts'
import { excerpt } from '../../kernel/words.ts'
import { Undecided } from '../run.ts'
import type { Blame, Step } from '../step.ts'
import type { NftVisit } from './chains.ts'

type Weight = Extract<Step, { kind: 'nft' }>['weight']

/** One rule at its turn: what it has found and done so far, which becomes one step. */
export class Turn {
  readonly visit: NftVisit
  readonly chain: NftChain
  readonly rule: NftRule
  /** questions that are put off until nothing else says no */
  readonly doubts: Doubt[] = []
  /** the last that a set or map gave */
  element: NftElement | undefined
  readonly #asked: number
  readonly #words: string[] = []
  #weight: Weight = 'passes'

  constructor(visit: NftVisit, chain: NftChain, rule: NftRule) {
    this.visit = visit
    this.chain = chain
    this.rule = rule
    this.#asked = visit.run.choices.points.length
  }

  get hasActed(): boolean {
    return this.#words.length > 0
  }

  found = (element: NftElement): void => {
    this.element = element
  }

  act(word: string, weight: Weight): void {
    this.#words.push(word)
    if (weight === 'decides' || this.#weight === 'passes') this.#weight = weight
  }

  /** Asks what was put off: does the rule match, after all? */
  settled(): boolean {
    for (const it of this.doubts.splice(0)) if (!resolve(it, this.visit.env)) return false
    return true
  }

  /** Keeps the step; `action` in place of what the rule did. */
  record(action = this.#words.join(', ') || 'counted', weight = this.#weight): void {
    const { run, skb, hook } = this.visit
    const choice = run.choices.since(this.#asked)
    run.steps.push({ ...this.#place(), place: skb.place, hook, action, weight, ...(choice && { choice }) })
  }

  blame(): Blame {
    const { skb, file } = this.visit
    return { place: skb.place, kind: 'rule', entry: '', source: { file, line: this.rule.line }, rule: this.#place() }
  }

  /** With and without the effect of a statement that is not modelled can't be told apart: the branch ends here. */
  unmodelled(what: string): never {
    const { skb, file } = this.visit
    throw new Undecided(skb.place.label, `${excerpt(what)} is not modelled (${file}:${this.rule.line})`)
  }

  #place() {
    const { file, table, chain: base } = this.visit
    const { chain, rule, element } = this
    return { kind: 'nft' as const, file, table, base, chain, rule, ...(element && { element }) }
  }
}
