import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openFiles } from '../../src/system/files-open.ts'
import { newSnapshot } from '../../src/system/new-snapshot.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-new-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test.each(['s', 's.tar.gz', 's.tgz'])('%s appears whole, for its owner only', async (name) => {
  const path = join(folder, name)
  const snapshot = newSnapshot(path)
  snapshot.write('nodes/n1/versions.txt', 'é\n')
  // more than a pipe takes at once
  snapshot.write('nodes/n1/nft.txt.gz', Buffer.alloc(2 ** 20, 7))
  snapshot.write('snapshot.json', '{}')
  expect(existsSync(path)).toBe(false)
  await snapshot.commit()
  expect(readdirSync(folder)).toEqual([name])
  expect(statSync(path).mode & 0o077).toBe(0)
  const source = await openFiles(path)
  expect(source.files).toEqual(['nodes/n1/nft.txt.gz', 'nodes/n1/versions.txt', 'snapshot.json'])
  expect(source.read('nodes/n1/versions.txt').toString()).toBe('é\n')
  // what is compressed already is a member of gzip of its own: other tools read on as well
  if (name !== 's')
    expect((await execa('tar', ['xzOf', path, 's/nodes/n1/nft.txt.gz'], { encoding: 'buffer' })).stdout).toHaveLength(2 ** 20)
})

test('abandoned, it leaves nothing', () => {
  const snapshot = newSnapshot(join(folder, 's'))
  snapshot.write('snapshot.json', '{}')
  snapshot.abandon()
  expect(readdirSync(folder)).toEqual([])
})

test('what is there stays: at the start, and if it came in between', async () => {
  writeFileSync(join(folder, 'there'), 'x')
  expect(() => newSnapshot(join(folder, 'there'))).toThrow('is there already')
  const snapshot = newSnapshot(join(folder, 's'))
  mkdirSync(join(folder, 's'))
  await expect(snapshot.commit()).rejects.toThrow('is there already')
  snapshot.abandon()
  expect(readdirSync(folder).sort()).toEqual(['s', 'there'])
  expect(() => newSnapshot(join(folder, 'no/where'))).toThrow('no such file or folder')
})

test.each(['s.zip', 's.tar', 's.tar.bz2', 's.gz'])(
  '%s would be a folder that looks like an archive: refused, with a name that is one',
  (name) => {
    const refusal = expect.objectContaining({
      message: expect.stringContaining('no archive that netctl makes'),
      advice: expect.stringContaining('s.tar.gz'),
    })
    expect(() => newSnapshot(join(folder, name))).toThrow(refusal)
    expect(readdirSync(folder)).toEqual([])
  },
)
