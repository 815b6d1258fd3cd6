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

  test('ways as deep as a service has endpoints', () => {
    const count = 6000
    let tree: Tree<number> = explore((c) => {
      for (let i = 0; i < count - 1; i++) if (c.chance(1 / (count - i), 'endpoint')) return i
      return count - 1
    })
    let depth = 0
    for (; tree.kind === 'random'; depth++) tree = tree.arms[1] as Tree<number>
    expect(depth).toBe(count - 1)
    expect(tree).toEqual({ kind: 'leaf', value: count - 1 })
  })

  test.each([0.5, 0.01, 0.99])('what a thousand times the limit would not show is not waited for (p = %s)', (p) => {
    let runs = 0
    const walk = (c: Choices) => {
      runs++
      for (let i = 0; i < 60; i++) c.chance(p, String(i))
    }
    expect(() => explore(walk)).toThrow(TooManyBranches)
    expect(runs).toBeLessThan(p === 0.99 ? 20_001 : 2000)
  })

  test('a rare arm with many ways is waited for', () => {
    const got = leaves(explore((c) => (c.chance(0.001, 'sample') ? c.pick(Array<number>(3000).fill(1 / 3000), 'arm') : -1)))
    expect(got).toHaveLength(3001)
  })
})
