import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findSnapshots } from '../../src/system/nearby-snapshots.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-nearby-'))
  for (const file of [
    'prod/snapshot.json',
    'prod/nodes/inner/snapshot.json',
    'old/packed/snapshot.json.gz',
    'a/b/c/deepest/snapshot.json',
    'a/b/c/snapshot.json',
    '.hidden/snapshot.json',
    'node_modules/x/snapshot.json',
    'monday.tar.gz',
    'notes.txt',
  ]) {
    mkdirSync(join(folder, dirname(file)), { recursive: true })
    writeFileSync(join(folder, file), '')
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('finds folders and archives, near ones first, none inside another', () => {
  expect(findSnapshots([folder], folder)).toEqual([
    { path: 'monday.tar.gz', kind: 'archive' },
    { path: 'prod', kind: 'folder' },
    { path: 'old/packed', kind: 'folder' },
    { path: 'a/b/c', kind: 'folder' },
  ])
})

test('the folder itself can be one, and a folder named twice counts once', () => {
  const prod = join(folder, 'prod')
  expect(findSnapshots([prod, prod], prod)).toEqual([{ path: '.', kind: 'folder' }])
})

test('a folder that is not there offers nothing', () => {
  expect(findSnapshots([join(folder, 'nowhere')], folder)).toEqual([])
})
