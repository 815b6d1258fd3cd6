import { describe, expect, test } from 'vitest'
import { type Choices, explore, TooManyBranches, type Tree } from '../../src/trace/choices.ts'

/** leaves with their probabilities, in order */
function leaves<T>(tree: Tree<T>, p = 1): [T, number][] {
  if (tree.kind === 'leaf') return [[tree.value, p]]
  return tree.arms.flatMap((arm, i) => leaves(arm, tree.kind === 'random' ? p * (tree.weights[i] as number) : p))
}

describe('explore', () => {
  test('a walk without choices runs once', () => {
    let runs = 0
    expect(explore(() => ++runs)).toEqual({ kind: 'leaf', value: 1 })
  })

  test("kube-proxy's three endpoints: 1/3 of all, 1/2 of the rest, the rest", () => {
    const walk = (c: Choices) => (c.chance(1 / 3, 'a') ? 'a' : c.chance(1 / 2, 'b') ? 'b' : 'c')
    const got = leaves(explore(walk))
    expect(got.map(([name]) => name)).toEqual(['a', 'b', 'c'])
    for (const [, p] of got) expect(p).toBeCloseTo(1 / 3, 12)
  })

  test('certain and impossible chances are no branches', () => {
    expect(explore((c) => [c.chance(1, 'x'), c.chance(0, 'y'), c.pick([1], 'z')])).toEqual({ kind: 'leaf', value: [true, false, 0] })
  })

  test('an unknown is asked once a run, however often it is met', () => {
    const got = leaves(explore((c) => [c.unknown('u32'), c.unknown('u32')]))
    expect(got.map(([v]) => v)).toEqual([
      [true, true],
      [false, false],
    ])
  })

  test('every combination of independent choices is walked', () => {
    const got = leaves(explore((c) => `${c.pick([0.2, 0.3, 0.5], 'x')}${c.chance(0.25, 'y')}`))
    expect(got.map(([v]) => v).sort()).toEqual(['0false', '0true', '1false', '1true', '2false', '2true'])
    expect(got.reduce((sum, [, p]) => sum + p, 0)).toBeCloseTo(1, 12)
    expect(got.find(([v]) => v === '2false')?.[1]).toBeCloseTo(0.375, 12)
  })

  test('a limit on the number of ways', () => {
    const walk = (c: Choices) => {
      for (let i = 0; i < 20; i++) c.chance(0.5, String(i))
    }
    expect(() => explore(walk, 1000)).toThrow(TooManyBranches)
  })
})
