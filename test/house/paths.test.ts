/** Paths that the documentation names are there: files move, and what is written about them must follow. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../support/needs.ts'

const pages = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: root })]
const text = (page: string): string => readFileSync(join(root, page), 'utf8')

/** In backticks: from the root (`src/net/ip.ts`, `bin/node/`), or a source file by its name alone (`ip.ts`); patterns match at least one file. */
const FROM_ROOT = /`((?:\.ci|bench|bin|commands|docs|examples|scripts|src|test)\/[^`\s]*)`/g
const BY_NAME = /`([\w*-]+\.ts)`/g
const LINK = /\]\((?!https?:)([^)#\s]+)/g
const matches = (page: string, pattern: RegExp): readonly string[] => [...text(page).matchAll(pattern)].map((match) => match[1] as string)

const names = new Set(globSync('{bench,bin,commands,scripts,src,test}/**/*.ts', { cwd: root }).map((file) => basename(file)))
const isName = (pattern: string): boolean =>
  pattern.includes('*') ? globSync(`{bench,bin,commands,scripts,src,test}/**/${pattern}`, { cwd: root }).length > 0 : names.has(pattern)

test.each(pages)('%s', (page) => {
  expect(matches(page, FROM_ROOT).filter((path) => globSync(path, { cwd: root }).length === 0)).toEqual([])
  expect(matches(page, BY_NAME).filter((name) => !isName(name))).toEqual([])
  expect(matches(page, LINK).filter((path) => !existsSync(join(root, dirname(page), path)))).toEqual([])
})

test('there are paths to look for', () => {
  expect(pages.flatMap((page) => matches(page, FROM_ROOT)).length).toBeGreaterThan(50)
})
