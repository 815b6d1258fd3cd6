/** Damaged snapshots through the command line: exit 2, one message with file and line, never a stack or half an answer. */
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../../support/needs.ts'
import { netctl } from '../../support/netctl.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-hostile-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let made = 0
/** A copy of the example, with one file changed. */
function damaged(file: string, change: (path: string, snapshot: string) => void): string {
  const snapshot = join(folder, String(made++))
  cpSync(join(root, 'examples/shop'), snapshot, { recursive: true })
  change(join(snapshot, file), snapshot)
  return snapshot
}

const trace = (snapshot: string, ...more: string[]) =>
  netctl(['trace', 'pod/shop/web-1', 'svc/shop/api:80', '--snapshot', snapshot, ...more])
const rules = 'nodes/n1/iptables-save.txt'

describe('a dump that is damaged', () => {
  test.each<[string, string, (path: string, snapshot: string) => void]>([
    ['cut off', rules, (path) => truncateSync(path, 20_000)],
    ['empty', rules, (path) => writeFileSync(path, '')],
    ['binary', 'nodes/n2/ip-route.json', (path) => writeFileSync(path, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 255, 254]))],
    ['mixed up', rules, (path, snapshot) => cpSync(join(snapshot, 'nodes/n1/nft.txt'), path)],
    ['one line of 10 MB', rules, (path) => writeFileSync(path, `${readFileSync(path, 'utf8')}-A ${'x'.repeat(10_000_000)}\n`)],
    ['full of control characters', rules, (path) => writeFileSync(path, `*filter\n:\u001b[2J\u0007\u009b31m INPUT\n`)],
    ['markup', 'cluster/pods.json', (path) => writeFileSync(path, '</script><script>alert(1)</script>')],
    ['cut off', 'cluster/services.json', (path) => truncateSync(path, 5_000)],
    ['of no use', 'snapshot.json', (path) => writeFileSync(path, '[]')],
  ])('%s: %s', async (_what, file, change) => {
    const { code, stdout, stderr } = await trace(damaged(file, change))
    expect([code, stdout]).toEqual([2, ''])
    // ✗ FILE:LINE: message (CODE)
    expect(stderr.split('\n')[0]).toMatch(new RegExp(`^✗ \\S*${file.replaceAll('.', '\\.')}:\\d+: .+ \\([A-Z]{3}\\d{3}\\)$`))
    expect(stderr.length).toBeLessThan(2000)
    expect(stderr).not.toMatch(/\n\s+at |node:internal/)
    expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  })

  test('for machines: one object on stdout, with file and line', async () => {
    const snapshot = damaged(rules, (path) => truncateSync(path, 20_000))
    const { code, stdout, stderr } = await trace(snapshot, '-o', 'json')
    expect([code, stderr]).toEqual([2, ''])
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'SNP001', file: rules, line: expect.any(Number), exitCode: 2 })
  })
})

describe('a dump that is missing', () => {
  test.each([rules, 'nodes/n1/ip-route.json', 'nodes/n1/ipset-save.txt', 'nodes/n1/sysctl.txt'])(
    '%s: exit 3, and it is named',
    async (file) => {
      const { code, stdout } = await trace(damaged(file, unlinkSync))
      expect(code).toBe(3)
      expect(stdout.split('\n')[0]).toMatch(/^\? UNDECIDED/)
      expect(stdout).toContain(file)
      // the packet did get to the node: what it met there is not known, which is not the same as nothing
      expect(stdout).not.toContain('talks to itself')
    },
  )
})

test.each([
  ['an empty folder', (path: string) => cpSync(join(root, 'examples/shop/pods'), path, { recursive: true }), 'no snapshot'],
  ['an archive that is none', (path: string) => writeFileSync(path, 'PK\u0003\u0004'), 'neither a folder nor'],
  ['a gzip of nothing', (path: string) => writeFileSync(path, Buffer.from('1f8b08000000000000030300000000000000', 'hex')), ''],
])('%s is no snapshot: exit 2', async (_what, make, said) => {
  const path = join(folder, `none-${made++}`)
  make(path)
  const { code, stdout, stderr } = await trace(path)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(said)
  expect(stderr).not.toMatch(/\n\s+at /)
})
