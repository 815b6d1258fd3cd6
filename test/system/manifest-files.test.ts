import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findManifests, readManifestText } from '../../src/system/manifest-files.ts'

let folder: string
const at = (name: string): string => join(folder, name)
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-manifest-files-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a file, a folder, a snapshot; standard input', () => {
  mkdirSync(at('snapshot'))
  writeFileSync(at('snapshot/snapshot.json'), '{}')
  writeFileSync(at('a.txt'), 'a')
  expect(findManifests('-')).toEqual({ files: ['-'], kind: 'file', left: [] })
  expect(findManifests(at('a.txt'))).toEqual({ files: [at('a.txt')], kind: 'file', left: [] })
  expect(findManifests(at('snapshot')).kind).toBe('snapshot')
  writeFileSync(at('s.tgz'), '')
  expect(findManifests(at('s.tgz')).kind).toBe('snapshot')
  expect(() => findManifests(at('a.text'))).toThrow(
    expect.objectContaining({ message: 'no such file or folder', candidates: [at('a.txt')] }),
  )
})

test('links to files are followed, links to folders and pipes are not', () => {
  mkdirSync(at('links'))
  writeFileSync(at('links/a.yaml'), '')
  symlinkSync('a.yaml', at('links/b.yaml'))
  symlinkSync('..', at('links/c.yaml'))
  execFileSync('mkfifo', [at('links/d.yaml')])
  symlinkSync('nowhere', at('links/e.yml.not'))
  expect(findManifests(at('links'))).toEqual({
    files: [at('links/a.yaml'), at('links/b.yaml')],
    kind: 'folder',
    left: [
      { path: at('links/c.yaml'), why: 'no file' },
      { path: at('links/d.yaml'), why: 'no file' },
    ],
  })
  symlinkSync('nowhere', at('links/f.yaml'))
  expect(() => findManifests(at('links'))).toThrow(expect.objectContaining({ path: at('links/f.yaml') }))
})

test('a text is read whole, in UTF-8; what never ends is not', () => {
  const text = 'ä€😀\n'.repeat(100_000)
  writeFileSync(at('long.yaml'), text)
  expect(readManifestText(at('long.yaml'))).toBe(text)
  writeFileSync(at('empty.yaml'), '')
  expect(readManifestText(at('empty.yaml'))).toBe('')
  writeFileSync(at('latin1.yaml'), Buffer.from([0x61, 0xe4]))
  expect(() => readManifestText(at('latin1.yaml'))).toThrow('UTF-8 text was expected')
  expect(() => readManifestText(at('nowhere.yaml'))).toThrow('no such file or folder')
  expect(() => readManifestText(folder)).toThrow('a folder, where a file was expected')
  expect(() => readManifestText('/dev/zero')).toThrow('larger than 500 MiB')
})
