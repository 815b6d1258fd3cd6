/** netctl policy lint as its users run it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readManifest } from '../../../src/cluster/manifest/read.ts'
import { type Annotated, annotatedManifests, places, unmet } from '../../support/annotated.ts'
import { netctl } from '../../support/netctl.ts'

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'netctl-lint-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const CASES = 'test/policy/lint/cases'
const lint = (...args: string[]) => netctl(['policy', 'lint', ...args])
const lines = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { code: string; severity: string; message: string; fix?: string; file: string; line: number })

describe('exit codes', () => {
  test.each([
    ['nothing to say', [`${CASES}/clean.yaml`], 0],
    ['a warning', ['-f', `${CASES}/log-only.yaml`], 1],
    ['a note', ['-f', `${CASES}/http-condition.yaml`], 0],
    ['a note, asked for', ['-f', `${CASES}/http-condition.yaml`, '--fail-on', 'note'], 1],
    ['a warning, not asked for', ['-f', `${CASES}/log-only.yaml`, '--fail-on', 'never'], 0],
    ['a warning that is left out', ['-f', `${CASES}/log-only.yaml`, '--skip', 'LNT017'], 0],
    ['what the API would refuse', ['-f', 'test/policy/refused/network-policy/port-0.yaml', '--fail-on', 'never'], 2],
    ['no such check', ['-f', `${CASES}/clean.yaml`, '--skip', 'LNT999'], 2],
    ['no input', [], 2],
  ])('%s', async (_what, args, code) => {
    expect((await lint(...args)).code).toBe(code)
  })
})

test('text: the place first, what is found, what to do, and the sum', async () => {
  const { stdout } = await lint('-f', `${CASES}/tier-unknown.yaml`)
  expect(stdout).toBe(
    `${`
${CASES}/tier-unknown.yaml:10: ! tier secrity of GlobalNetworkPolicy secrity.p is not in the input: without it the policy comes after all other tiers (LNT015)
    add the Tier, or mend its name

2 policies: 1 warning
`.trimStart()}`,
  )
})

test('text: nothing to say; -q: the sum alone', async () => {
  expect((await lint('-f', `${CASES}/clean.yaml`)).stdout).toBe('3 policies: nothing to say\n')
  expect((await lint('-f', `${CASES}/log-only.yaml`, '-q')).stdout).toBe('2 policies: 1 warning\n')
})

test('--level: what is lighter is not told', async () => {
  const { stdout } = await lint('-f', `${CASES}/cidrs.yaml`, '--level', 'warning')
  expect(stdout).toBe('1 policy: nothing to say\n')
})

test('json, SARIF, annotations, JUnit', async () => {
  const sarif = join(folder, 'lint.sarif')
  const junit = join(folder, 'lint.xml')
  const { stdout, code } = await lint('-f', `${CASES}/log-only.yaml`, '-o', 'json', '--sarif', sarif, '--junit', junit)
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({
    kind: 'PolicyLintReport',
    summary: { policies: 2, refused: 0, warnings: 1 },
    findings: [{ code: 'LNT017', severity: 'warning', file: `${CASES}/log-only.yaml`, line: 5 }],
  })
  expect(JSON.parse(readFileSync(sarif, 'utf8'))).toMatchObject({ runs: [{ results: [{ ruleId: 'LNT017', level: 'warning' }] }] })
  expect(readFileSync(junit, 'utf8')).toContain('LNT017')
  expect((await lint('-f', `${CASES}/log-only.yaml`, '-o', 'github')).stdout).toContain(`::warning file=${CASES}/log-only.yaml,line=5,`)
})

test('what is refused is left out, and the rest is looked at', async () => {
  const file = join(folder, 'both.yaml')
  const refused = readFileSync('test/policy/refused/network-policy/port-0.yaml', 'utf8')
  writeFileSync(file, `${refused}\n---\n${readFileSync(`${CASES}/log-only.yaml`, 'utf8')}`)
  const { stdout, code } = await lint('-f', file, '-o', 'jsonl')
  expect(code).toBe(2)
  expect(lines(stdout).map(({ code, severity }) => `${code} ${severity}`)).toEqual(['POL001 refused', 'LNT017 warning'])
})

/** Files that can be one input: an object may stand in it only once. */
function batches(manifests: readonly Annotated[]): readonly (readonly Annotated[])[] {
  const made: { readonly files: Annotated[]; readonly names: Set<string> }[] = []
  for (const manifest of manifests) {
    const names = readManifest(manifest.text, manifest.file, { namespace: 'default' }).objects.map(
      ({ apiVersion, kind, namespace, name }) => `${apiVersion} ${kind} ${namespace}/${name}`,
    )
    const free = made.find((batch) => !names.some((name) => batch.names.has(name)))
    const batch = free ?? { files: [], names: new Set<string>() }
    if (!free) made.push(batch)
    batch.files.push(manifest)
    for (const name of names) batch.names.add(name)
  }
  return made.map(({ files }) => files)
}

describe('all that is wrong in all manifests is told at once, with file, line, field and reason', () => {
  test.each(batches(annotatedManifests('policy/refused')).map((files) => [files.length, files] as const))(
    '%i manifests',
    async (_, files) => {
      const { stdout, code } = await lint(...files.flatMap(({ file }) => ['-f', `test/policy/refused/${file}`]), '-o', 'jsonl')
      expect(code).toBe(2)
      const told = lines(stdout).filter(({ severity }) => severity === 'refused')
      for (const { file, expected } of files) {
        const found = told
          .filter((one) => one.file === `test/policy/refused/${file}`)
          .map(({ line, message, fix }) => {
            // `NetworkPolicy shop/web: spec.ingress[0]: must be …`
            const [, what = '', reason = ''] = /^\S+ \S*: ((?:\['[^']*'\]|\S)+?): (.*)$/.exec(message) ?? []
            return { line, what, text: `${reason}; ${fix}` }
          })
        expect(places(found), file).toEqual(places(expected))
        expect(unmet(expected, found), file).toEqual([])
      }
    },
  )
})
