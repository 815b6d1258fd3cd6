import { describe, expect, it } from 'vitest'
import { canonical } from '../../../src/cluster/selector/canonical.ts'
import { matches } from '../../../src/cluster/selector/evaluate.ts'
import { labelKeyProblems, labelValueProblems, readLabelSelector } from '../../../src/cluster/selector/kubernetes.ts'
import { labelMap } from '../../../src/cluster/selector/labels.ts'

const read = (json: unknown): string | readonly string[] => {
  const selector = readLabelSelector(json)
  return selector.kind === 'invalid' ? selector.problems.map(({ path, message }) => `${path.join('.')}: ${message}`) : canonical(selector)
}

describe('a LabelSelector', () => {
  it.each<[unknown, string]>([
    [undefined, '!all()'],
    [null, '!all()'],
    [{}, 'all()'],
    [{ matchLabels: {}, matchExpressions: [] }, 'all()'],
    [{ matchLabels: null, matchExpressions: null }, 'all()'],
    [{ matchLabels: { b: '2', a: '1' } }, '(a == "1" && b == "2")'],
    [{ matchLabels: { a: '' } }, 'a == ""'],
    [{ matchLabels: { a: null } }, 'a == ""'],
    [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['y', 'x', 'y'] }] }, 'a in {"x", "y"}'],
    [{ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['x'] }] }, 'a not in {"x"}'],
    [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }, 'has(a)'],
    [{ matchExpressions: [{ key: 'a', operator: 'DoesNotExist', values: [] }] }, '!has(a)'],
    [
      {
        matchLabels: { 'x.io/y': 'z' },
        matchExpressions: [
          { key: 'b', operator: 'Exists' },
          { key: 'a', operator: 'In', values: [''] },
        ],
      },
      '(x.io/y == "z" && has(b) && a in {""})',
    ],
  ])('%j', (json, expected) => expect(read(json)).toBe(expected))

  it('NotIn and DoesNotExist hold where the key is missing, In and Exists do not', () => {
    const holds = (operator: string, values?: string[]) => {
      const selector = readLabelSelector({ matchExpressions: [{ key: 'a', operator, ...(values && { values }) }] })
      if (selector.kind === 'invalid') throw new Error('invalid')
      const things: readonly Record<string, string>[] = [{}, { a: '' }, { a: 'x' }, { a: 'y' }]
      return things.map((labels) => matches(selector, labelMap(labels)))
    }
    expect(holds('In', ['x'])).toEqual([false, false, true, false])
    expect(holds('NotIn', ['x'])).toEqual([true, true, false, true])
    expect(holds('Exists')).toEqual([false, true, true, true])
    expect(holds('DoesNotExist')).toEqual([true, false, false, false])
  })
})

// paths: apimachinery pkg/apis/meta/v1/validation, ValidateLabelSelector
describe('what the API server refuses', () => {
  const letters = 'letters, digits, -, _ and ., with a letter or digit at either end'
  it.each<[unknown, readonly string[]]>([
    ['all()', [': must be an object']],
    [[], [': must be an object']],
    [{ matchLabel: { a: 'b' } }, ['matchLabel: unknown field']],
    [{ app: 'web' }, ['app: unknown field']],
    [{ matchLabels: ['a'] }, ['matchLabels: must be an object']],
    [{ matchLabels: { a: 1 } }, ['matchLabels.a: 1 must be a text: put it in quotes']],
    [{ matchLabels: { a: true } }, ['matchLabels.a: true must be a text: put it in quotes']],
    [{ matchLabels: { a: {} } }, ['matchLabels.a: must be a text']],
    [{ matchLabels: { a: 'x y' } }, [`matchLabels.a: "x y" is no label value: it must be empty or ${letters}`]],
    [{ matchLabels: { '-a': 'x' } }, [`matchLabels.-a: "-a" is no label key: the name must be ${letters}`]],
    [{ matchExpressions: {} }, ['matchExpressions: must be a list']],
    [{ matchExpressions: ['a'] }, ['matchExpressions.0: must be an object']],
    [
      {
        matchExpressions: [
          { key: 'a', operator: 'Exists' },
          { key: 'a', operator: 'In' },
        ],
      },
      ['matchExpressions.1.values: must hold a value when the operator is In'],
    ],
    [
      { matchExpressions: [{ key: 'a', operator: 'NotIn', values: [] }] },
      ['matchExpressions.0.values: must hold a value when the operator is NotIn'],
    ],
    [{ matchExpressions: [{ key: 'a', operator: 'In', values: 'x' }] }, ['matchExpressions.0.values: must be a list']],
    [
      { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }] },
      ['matchExpressions.0.values: must not be there when the operator is Exists'],
    ],
    [
      { matchExpressions: [{ key: 'a', operator: 'in', values: ['x'] }] },
      ['matchExpressions.0.operator: "in" must be In, NotIn, Exists or DoesNotExist'],
    ],
    [
      { matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }] },
      ['matchExpressions.0.operator: "Gt" must be In, NotIn, Exists or DoesNotExist'],
    ],
    [
      { matchExpressions: [{}] },
      [
        'matchExpressions.0.operator: "" must be In, NotIn, Exists or DoesNotExist',
        'matchExpressions.0.key: "" is no label key: the name is empty',
      ],
    ],
    [
      { matchExpressions: [{ key: 'A.io/x', operator: 'NotIn', values: ['ok', '.no', 7], extra: 1 }] },
      [
        'matchExpressions.0.extra: unknown field',
        'matchExpressions.0.values.2: 7 must be a text: put it in quotes',
        'matchExpressions.0.key: "A.io/x" is no label key: what is before the / must be a DNS name in small letters',
        `matchExpressions.0.values.1: ".no" is no label value: it must be empty or ${letters}`,
      ],
    ],
  ])('%j', (json, expected) => expect(read(json)).toEqual(expected))
})

describe('keys and values', () => {
  it.each([
    'a',
    'A',
    '0',
    'a.b_c-D',
    'x'.repeat(63),
    'a/b',
    'kubernetes.io/metadata.name',
    `${`${'a'.repeat(62)}.`.repeat(4)}a/b`,
    '1.2/3',
  ])('key %s', (key) => expect(labelKeyProblems(key)).toEqual([]))
  it.each([
    '',
    '/',
    'a/',
    '/a',
    'a/b/c',
    'a b',
    '-a',
    'a-',
    '.a',
    'a_',
    'é',
    'A/b',
    'a_b/c',
    'a../b',
    '-a/b',
    'a\n',
    'x'.repeat(64),
    `${'a'.repeat(254)}/b`,
  ])('no key %j', (key) => expect(labelKeyProblems(key)).not.toEqual([]))
  it.each(['', 'a', '1', 'a..b', 'A_b-c.d', 'x'.repeat(63)])('value %s', (value) => expect(labelValueProblems(value)).toEqual([]))
  it.each([' ', 'a/b', '-a', 'a.', 'é', 'a\n', '\n', 'x'.repeat(64)])('no value %j', (value) =>
    expect(labelValueProblems(value)).not.toEqual([]),
  )
  it('looks at a hostile key for no long time', () => {
    const start = performance.now()
    for (const part of ['a-', 'a.', '-', 'a']) {
      labelKeyProblems(`${part.repeat(500_000)}!`)
      labelKeyProblems(`${part.repeat(500_000)}!/x`)
    }
    expect(performance.now() - start).toBeLessThan(10_000)
  })
})
