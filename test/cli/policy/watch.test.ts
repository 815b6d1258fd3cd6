/** netctl policy test --watch: again on every change, until ctrl-C. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from '../../support/needs.ts'

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'netctl-watch-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const tests = (expected: string) =>
  `apiVersion: netctl.dev/v1alpha1\nkind: PolicyTest\nmetadata: {name: mine}\nspec:\n  manifests: [policies]\n  tests:\n  - {from: a/one, to: a/two, port: 80, expect: ${expected}}\n`
const pod = (name: string) => `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: a}\nspec: {containers: [{name: c}]}\n---\n`
const closed = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: closed, namespace: a}\nspec: {podSelector: {}}\n'

test('the tests, what they are about, a mistake in between; ctrl-C is 130', async () => {
  const file = join(folder, 'tests.yaml')
  mkdirSync(join(folder, 'policies'))
  writeFileSync(file, tests('allow'))
  writeFileSync(join(folder, 'policies/pods.yaml'), pod('one') + pod('two'))
  const child = spawn(process.execPath, [join(root, 'bin/dev.ts'), 'policy', 'test', file, '--watch', '-q'], {
    env: { ...process.env, NO_COLOR: '1' },
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  /** Resolves when this is said and the program waits again; a change that comes in two pieces may be looked at in between. */
  const hears = async (text: string): Promise<void> => {
    await expect.poll(() => said.includes(text) && said.endsWith('ctrl-C ends it\n')).toBe(true)
    said = ''
  }
  try {
    await hears('1 test: 1 passed')
    // a file that is new in a folder that is watched
    writeFileSync(join(folder, 'policies/closed.yaml'), closed)
    await hears('1 test: 1 failed')
    // put in place as editors do
    writeFileSync(join(folder, 'tests.new'), tests('deny'))
    renameSync(join(folder, 'tests.new'), file)
    await hears('1 test: 1 passed')
    writeFileSync(file, tests('perhaps'))
    await hears(':7: spec.tests[0].expect: must be allow or deny, not "perhaps"')
    writeFileSync(file, tests('deny'))
    await hears('1 test: 1 passed')
  } finally {
    child.kill('SIGINT')
  }
  expect(await ended).toBe(130)
})
