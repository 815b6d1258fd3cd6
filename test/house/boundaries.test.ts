import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from '../support/needs.ts'

/** One line an import: who, whom, and whether the house allows it. */
const IMPORTS: readonly (readonly [file: string, imported: string, allowed: boolean])[] = [
  ['src/net/a.ts', '../kernel/source.ts', false],
  ['src/net/b.ts', 'node:fs', false],
  ['src/net/c.ts', '../nearest.ts', true],
  ['src/kernel/route/a.ts', '../../net/ip.ts', true],
  ['src/kernel/route/b.ts', '../iptables/types.ts', true],
  ['src/kernel/route/c.ts', '../../cluster/types.ts', false],
  ['src/cluster/a.ts', '../trace/types.ts', false],
  ['src/snapshot/a.ts', '../system/files.ts', true],
  ['src/snapshot/b.ts', '../trace/types.ts', false],
  ['src/snapshot/c.ts', 'node:fs/promises', false],
  ['src/trace/a.ts', '../snapshot/types.ts', true],
  ['src/trace/b.ts', '../snapshot/load.ts', false],
  ['src/trace/c.ts', '../report/json.ts', false],
  ['src/trace/d.ts', 'node:crypto', true],
  ['src/trace/e/a.ts', '../../system/files.ts', false],
  ['src/trace/f.ts', '../verify/types.ts', false],
  ['src/verify/a.ts', '../trace/types.ts', true],
  ['src/verify/b.ts', '../report/json.ts', false],
  ['src/verify/c.ts', '../system/way.ts', false],
  ['src/report/a.ts', '../trace/types.ts', true],
  ['src/report/d.ts', '../verify/verification.ts', true],
  ['src/report/b.ts', '../cli/terminal.ts', false],
  ['src/report/c.ts', '../kube/context.ts', false],
  ['src/system/a.ts', 'node:child_process', true],
  ['src/system/b.ts', '../trace/types.ts', false],
  ['src/kube/a.ts', '@kubernetes/client-node', true],
  ['src/kube/b.ts', 'node:fs', false],
  ['src/kube/c.ts', '../live/piece.ts', false],
  ['src/live/a.ts', '../trace/lacked.ts', true],
  ['src/live/b.ts', '../cli/flags.ts', false],
  ['src/live/c.ts', 'node:fs', false],
  ['src/trace/f.ts', '../live/piece.ts', false],
  ['src/cli/a.ts', '@kubernetes/client-node', false],
  ['src/cli/b.ts', 'node:child_process', false],
  ['src/cli/c.ts', '../../commands/trace.ts', false],
  ['commands/a.ts', '../src/snapshot/load.ts', true],
  ['commands/b.ts', '@kubernetes/client-node', false],
  ['commands/c.ts', './a.ts', false],
  ['commands/deep/a.ts', '../a.ts', false],
  ['test/net/a.test.ts', 'fast-check', false],
  ['test/support/properties.ts', 'fast-check', true],
]

let folder: string
let complaints: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-house-'))
  cpSync(join(root, 'biome.json'), join(folder, 'biome.json'))
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  for (const [file, imported] of IMPORTS) write(file, `import { x } from '${imported}'\n\nexport const y = x\n`)
  write('src/net/clock.ts', 'export const home = process.env.HOME\n')
  write('src/net/index.ts', "export { y } from './c.ts'\n")
  write('src/policy/one.ts', "import { two } from './two.ts'\n\nexport const one = (): number => two()\n")
  write('src/policy/two.ts', "import { one } from './one.ts'\n\nexport const two = (): number => one()\n")
  const biome = join(root, 'node_modules/.bin/biome')
  const ran = await execa(biome, ['lint', '--vcs-enabled=false', '--reporter=github', '--max-diagnostics=none'], {
    cwd: folder,
    reject: false,
  })
  complaints = ran.stdout
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const complaintsAbout = (file: string): string[] => complaints.split('\n').filter((line) => line.includes(`/${file},`))

test.each(IMPORTS)('%s importing %s: allowed %s', (file, _imported, allowed) => {
  const refused = complaintsAbout(file).filter((line) => line.includes('lint/style/noRestrictedImports'))
  expect(refused.length > 0).toBe(!allowed)
})

test('a refusal gives its reason', () => {
  expect(complaintsAbout('src/trace/b.ts').join()).toContain('loading one is an effect')
})

test.each([
  ['src/net/clock.ts', 'noRestrictedGlobals'],
  ['src/net/index.ts', 'noBarrelFile'],
  ['src/policy/one.ts', 'noImportCycles'],
])('%s breaks %s', (file, rule) => {
  expect(complaintsAbout(file).join()).toContain(rule)
})
