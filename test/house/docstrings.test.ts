/** Every function and class that another file may use says what it is for, right above it: editors show that where it is used. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../support/needs.ts'

/** Functions, classes, and constants that are arrow functions, as the formatter lays them out. */
const EXPORTED =
  /^export (?:(?:async )?function\*? |(?:abstract )?class |const (?=\w+(?:: [^=\n]+)? = (?:async )?(?:<[^>\n]+>)?(?:\(|\w+ =>)))(\w+)/

/** Names without a docstring. Only the first of a function's overloads needs one. */
function undocumented(text: string): readonly string[] {
  const lines = text.split('\n')
  const nameAt = (i: number): string | undefined => EXPORTED.exec(lines[i] ?? '')?.[1]
  return lines.flatMap((_, i) => {
    const name = nameAt(i)
    return name === undefined || lines[i - 1]?.endsWith('*/') || nameAt(i - 1) === name ? [] : [name]
  })
}

test.each([
  ['/** A. */\nexport function a(): void {}', []],
  ['export function a(): void {}', ['a']],
  ['/** The file. */\nimport x from "y"\n\nexport async function* a() {}', ['a']],
  ['/** A. */\nexport function a(x: 4): 4\nexport function a(x: 6): 6', []],
  ['export const a = (x: number): number => x', ['a']],
  ['export const a: Check = async (c) => {', ['a']],
  ['export const a: Check = c => {', ['a']],
  ['export const a = 5', []],
  ['export class A {', ['A']],
  ['const a = (x: number): number => x', []],
])('of %j it lists %j', (text, names) => {
  expect(undocumented(text)).toEqual(names)
})

test('none lacks one', () => {
  const files = globSync('{src,bin}/**/*.ts', { cwd: root })
  expect(files.length).toBeGreaterThan(100)
  expect(files.flatMap((file) => undocumented(readFileSync(join(root, file), 'utf8')).map((name) => `${file}: ${name}`))).toEqual([])
})
