import { NetctlError } from '../../error.ts'
import { type Advice, smallestChange } from '../advice/search.ts'
import type { Scene } from '../query/services.ts'
import type { DatapathResult } from './datapath.ts'
import { runExpectation, type TestResult } from './run.ts'
import type { Expectation, PolicyTest } from './types.ts'

/** One expectation, asked. */
export type Asked =
  | (TestResult & {
      readonly kind: 'asked'
      /** `none`: it was looked for in vain; absent: nothing is wrong, or enough others have some */
      readonly advice?: TestAdvice | 'none'
      readonly datapath?: DatapathResult
    })
  /** it can't be asked: nobody fits, a port is missing */
  | { readonly kind: 'refused'; readonly expectation: Expectation; readonly error: NetctlError }

export interface TestAdvice {
  readonly change: Advice
  /** expectations of the same document that hold now, and would not any more */
  readonly breaks: readonly Expectation[]
}

export interface SuiteResult {
  readonly test: PolicyTest
  readonly results: readonly Asked[]
}

/** How many failures of a document get advice: it is searched for, and whoever has more will read the first ones. */
const ADVISED = 20

/** Asks all that a document expects. */
export const runSuite = (scene: Scene, test: PolicyTest): SuiteResult => ({
  test,
  results: test.expectations.map((expectation) => ask(scene, expectation)),
})

/** With the smallest change that would mend each of the first failures: it costs more than asking, so only who shows it asks for it. */
export function withAdvice(scene: Scene, { test, results }: SuiteResult): SuiteResult {
  let left = ADVISED
  const advised = results.map((one): Asked => {
    if (one.kind === 'refused' || !one.shortfalls.some(({ kind }) => kind === 'wrong') || left-- <= 0) return one
    return { ...one, advice: adviceFor(scene, one, results) ?? 'none' }
  })
  return { test, results: advised }
}

function ask(scene: Scene, expectation: Expectation): Asked {
  try {
    return { kind: 'asked', ...runExpectation(scene, expectation) }
  } catch (error) {
    if (error instanceof NetctlError) return { kind: 'refused', expectation, error }
    throw error
  }
}

/** How often flows that a change leaves as they are may be added to those that it is looked for. */
const ROUNDS = 3

function adviceFor(scene: Scene, { expectation, shortfalls }: TestResult, all: readonly Asked[]): TestAdvice | undefined {
  let flows = wrongOf(shortfalls)
  for (let round = 0; round < ROUNDS; round++) {
    const change = smallestChange(scene.world, flows, expectation.expect)
    if (!change) return undefined
    // the first few flows are known, and all must fare as expected
    const changed: Scene = { ...scene, world: change.world }
    const left = wrongOf(runExpectation(changed, expectation).shortfalls)
    if (left.length === 0) return { change, breaks: all.flatMap((other) => brokenIn(changed, other)) }
    flows = [...flows, ...left]
  }
  return undefined
}

const wrongOf = (shortfalls: TestResult['shortfalls']) => shortfalls.filter(({ kind }) => kind === 'wrong').map(({ flow }) => flow)

function brokenIn(changed: Scene, other: Asked): readonly Expectation[] {
  if (other.kind === 'refused' || other.outcome !== 'pass') return []
  return runExpectation(changed, other.expectation).outcome === 'pass' ? [] : [other.expectation]
}
