/** Every code that netctl refuses with, or reports by, stands in the documentation, and no other. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../support/needs.ts'

const text = (file: string): string => readFileSync(join(root, file), 'utf8')
const found = (files: readonly string[], code: RegExp): readonly string[] =>
  [...new Set(files.flatMap((file) => [...text(file).matchAll(code)].flatMap((match) => match[1] ?? match[2] ?? [])))].sort()

const sources = globSync('{src,commands}/**/*.ts', { cwd: root })

// in quotes, or the key of an object
test.each([
  ['docs/errors.md', /'((?!LNT)[A-Z]{3}\d{3})'|^ +((?!LNT)[A-Z]{3}\d{3}):/gm],
  ['docs/policy-lint.md', /'(LNT\d{3})'/g],
])('%s has them all', (page, code) => {
  const used = found(sources, code)
  expect(used.length).toBeGreaterThan(20)
  expect(found([page], /^\| ([A-Z]{3}\d{3}) \|/gm)).toEqual(used)
})
