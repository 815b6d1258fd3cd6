import fc from 'fast-check'
import { expect, test } from 'vitest'
import { manifestText } from '../../../src/cluster/manifest/documents.ts'
import { readPlainYaml } from '../../../src/cluster/manifest/plain-yaml.ts'
import { lineOf, positionOf } from '../../../src/cluster/manifest/position.ts'
import type { Document, ManifestObject } from '../../../src/cluster/manifest/types.ts'
import { composeYaml, yamlData } from '../../../src/cluster/manifest/yaml-data.ts'

const documentOf = (text: string): Document => ({ source: manifestText(text, 'a.yaml'), start: 0, end: text.length, syntax: 'yaml' })
const plain = (text: string): unknown => readPlainYaml(text, 0, text.length)
/** what the `yaml` package makes of it; a symbol where it refuses */
const whole = (text: string): unknown => {
  try {
    const yaml = composeYaml(documentOf(text))
    return yaml === undefined ? null : yamlData(documentOf(text), yaml)
  } catch {
    return Symbol('refused')
  }
}

const MANIFEST = `apiVersion: networking.k8s.io/v1   # a comment
kind: NetworkPolicy
metadata:
  name: 'it''s'
  labels: {app: web, "tier": front}
  annotations:
    text: |
      one
        two # no comment

      three
    kept: |-
      - a: b
spec:
  podSelector: {}
  # in between
  ingress:
  - from:
    - podSelector:
        matchLabels:
          app: "a\\tb"

    - ipBlock: {cidr: 10.0.0.0/8}
    ports: [{port: 80, protocol: TCP}]
  -
    ports:
      - port: http
      - port: -1
  egress:
  policyTypes:
    - Ingress
`

test('what manifests are made of is read here, and as the package reads it', () => {
  for (const text of [MANIFEST, MANIFEST.replaceAll('\n', '\r\n'), MANIFEST.trimEnd()]) {
    expect(plain(text)).toEqual(whole(text))
    expect(plain(text)).toMatchObject({
      metadata: { name: "it's", annotations: { text: 'one\n  two # no comment\n\nthree\n', kept: '- a: b' } },
      spec: { egress: null },
    })
  }
})

test.each([
  ['an anchor', 'a: &x 1'],
  ['an alias', 'a: *x'],
  ['a tag', 'a: !!str 1'],
  ['a merge key', '<<: {a: b}'],
  ['a key twice', 'a: 1\na: 2'],
  ['a text over two lines', 'a: b\n  c'],
  ['a folded text', 'a: >\n  b'],
  ['brackets over two lines', 'a: [b,\n  c]'],
  ['a colon in a value', 'a: b: c'],
  ['a tab', 'a:\n\tb: c'],
  ['the end of the document', 'a: b\n...\nc: d'],
  ['a comment that is none', 'a:#b'],
  ['a key of its own line', '? a\n: b'],
  ['an indentation that fits nothing', 'a:\n    b: 1\n  c: 2'],
  ['a list in the wrong place', 'a: 1\n- b'],
  ['a text', 'a'],
])('%s is left to the package', (_, text) => {
  expect(plain(text)).toBeUndefined()
})

/** lines that look like those of manifests, and like trouble */
const line = fc
  .tuple(
    fc.constantFrom(0, 0, 1, 2, 2, 2, 3, 4, 4, 6, 8),
    fc.constantFrom('', '', '', '- ', '- - ', '-', '-  '),
    fc.constantFrom('a: ', 'b: ', 'c:', 'd: ', '"e": ', "'f': ", 'g.h/i: ', '12: ', 'y: ', 'a:  ', ''),
    fc.constantFrom(
      ...[
        'x',
        'n',
        '12',
        '0x1f',
        '"q"',
        "'s'",
        "'it''s'",
        '"a\\nb"',
        '"a\\x41"',
        '{}',
        '[]',
        '[a, b]',
        '{a: b}',
        '{a: [b, {c: d}]}',
        '{a: b, a: c}',
        '{a:b}',
        '[a,b]',
        '["a", \'b\']',
      ],
      ...[
        '|',
        '|-',
        '|+',
        '>',
        '| ',
        '&x a',
        '*x',
        '!!str 1',
        '- a',
        '# c',
        'x # c',
        'x #',
        'x#y',
        'a: b',
        'http://x',
        'x:',
        '-5',
        '- ',
        '?',
        '%',
        '@',
        'a\tb',
        '...',
        '---',
        '"open',
        "'open",
        '[open',
        '"a" b',
        '{a: b} c',
        '',
        '',
        '',
        '~',
        'é',
        '<<',
      ],
    ),
    fc.constantFrom('', '', '', ' ', '  # c', '\r'),
  )
  .map(([indent, dash, key, value, tail]) => `${' '.repeat(indent)}${dash}${key}${value}${tail}`)

test('whatever it reads, the package reads the same', () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), fc.boolean(), (lines, ends) => {
      // the package does not take a lone \\r for the end of a line
      const text = ends ? `${lines.join('\n')}\n` : lines.join('\n').replace(/\r$/, '')
      const read = plain(text)
      if (read !== undefined) expect(read).toEqual(whole(text))
    }),
    { numRuns: 20_000 },
  )
})

test('a manifest with a line changed, too; and every field stands where the package says', () => {
  const lines = MANIFEST.split('\n')
  fc.assert(
    fc.property(fc.nat(lines.length - 1), fc.constantFrom('replace', 'insert', 'delete', 'indent', 'outdent'), line, (at, how, other) => {
      const changed = [...lines]
      const old = changed[at] as string
      if (how === 'insert') changed.splice(at, 0, other)
      else if (how === 'delete') changed.splice(at, 1)
      else changed[at] = how === 'replace' ? other : how === 'indent' ? ` ${old}` : old.replace(/^ /, '')
      const text = changed.join('\n').replace(/\r$/, '')
      const read = plain(text)
      if (read === undefined) return
      expect(read).toEqual(whole(text))
      // an anchor in a comment's place makes the package read it: the lines stay the same
      const composed = `${text}\nzz: &anchor 1\n`
      if (plain(composed) !== undefined) throw new Error('it was to be composed')
      const [here, there] = [objectOf(text), objectOf(composed)]
      for (const path of paths(read)) expect(positionOf(here, path).line).toBe(positionOf(there, path).line)
      expect(lineOf(here.place)).toBe(1)
    }),
    { numRuns: 300 },
  )
})

const objectOf = (text: string): ManifestObject => ({
  apiVersion: '',
  kind: '',
  name: '',
  value: {},
  file: 'a.yaml',
  line: 1,
  place: { document: documentOf(text), path: [] },
})

function paths(value: unknown, from: readonly (string | number)[] = []): readonly (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [from]
  const parts = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return [from, ...parts.flatMap(([key, one]) => paths(one, [...from, key]))]
}
