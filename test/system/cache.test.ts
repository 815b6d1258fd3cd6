import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cacheHome, openCache } from '../../src/system/cache.ts'
import { needs } from '../support/needs.ts'

let folder: string
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'netctl-cache-')), 'netctl')
})
afterEach(() => rmSync(join(folder, '..'), { recursive: true }))

const MINUTE = 60_000
const entry = {
  about: { takenAt: 1 },
  files: new Map([
    ['a/b.txt', Buffer.from('one\n')],
    ['c', Buffer.alloc(0)],
    ['d.gz', Buffer.from([0, 10, 255])],
  ]),
}

test('what is written is read, under its key only', () => {
  const cache = openCache(folder, 'k/1', MINUTE)
  expect(cache.read('nodes/n1')).toBeUndefined()
  cache.write('nodes/n1', entry)
  expect(cache.read('nodes/n1')).toEqual(entry)
  expect(openCache(folder, 'k/2', MINUTE).read('nodes/n1')).toBeUndefined()
})

test.each(['../one', 'nodes/../../one', '/one', 'nodes/..', 'a/b/c', '', '.one', 'nodes/a\0b'])('%j is no name', (name) => {
  const cache = openCache(folder, 'k', MINUTE)
  cache.write(name, entry)
  expect([cache.read(name), readdirSync(folder), readdirSync(join(folder, '..'))]).toEqual([undefined, [], ['netctl']])
})

test('files and folders are their owner’s only', () => {
  openCache(folder, 'k', MINUTE).write('nodes/n1', entry)
  expect(['', 'k', 'k/nodes'].map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([0o700, 0o700, 0o700])
  expect(statSync(join(folder, 'k/nodes/n1')).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['k'])
})

test('an entry with any byte changed, cut anywhere, or longer than it was, is none', () => {
  const cache = openCache(folder, 'k', MINUTE)
  cache.write('one', entry)
  const path = join(folder, 'k/one')
  const whole = readFileSync(path)
  for (let i = 0; i < whole.length; i++) {
    writeFileSync(path, whole.subarray(0, i))
    expect(cache.read('one')).toBeUndefined()
  }
  for (let i = whole.indexOf(10) + 1; i < whole.length; i++) {
    const changed = Buffer.from(whole)
    changed[i] = (changed[i] as number) ^ 1
    writeFileSync(path, changed)
    expect(cache.read('one')).toBeUndefined()
  }
  for (const text of [
    Buffer.concat([whole, Buffer.from('x')]),
    '\n',
    'null\n',
    '{}\n',
    '{"files": [["a", -1]], "crc": 0}\n',
    '{"files": [1], "crc": 0}\n',
  ]) {
    writeFileSync(path, text)
    expect(cache.read('one')).toBeUndefined()
  }
})

test('nothing is read through a link', () => {
  const cache = openCache(folder, 'k', MINUTE)
  cache.write('one', entry)
  symlinkSync('one', join(folder, 'k/two'))
  expect(cache.read('two')).toBeUndefined()
})

test('what is too old goes on the next use, of every key, and what a killed process left', () => {
  openCache(folder, 'k', MINUTE).write('nodes/n1', entry)
  openCache(folder, 'other', MINUTE).write('objects', entry)
  writeFileSync(join(folder, '.123-abc'), '')
  const old = Date.now() / 1000 - 61
  for (const name of ['k/nodes/n1', '.123-abc']) utimesSync(join(folder, name), old, old)
  openCache(folder, 'k', MINUTE)
  expect(readdirSync(folder, { recursive: true }).sort()).toEqual(['other', 'other/objects'])
})

test('a folder that others can look into, that is a file, or where none can be made, is not used', () => {
  const check = (path: string): void => {
    const cache = openCache(path, 'k', MINUTE)
    cache.write('one', entry)
    expect(cache.read('one')).toBeUndefined()
  }
  openCache(folder, 'k', MINUTE)
  chmodSync(folder, 0o755)
  check(folder)
  rmSync(folder, { recursive: true })
  writeFileSync(folder, '')
  check(folder)
  check(join(folder, 'below'))
})

test.runIf(needs('root'))('somebody else’s folder is left alone', () => {
  openCache(folder, 'k', MINUTE)
  chownSync(folder, 65534, 65534)
  openCache(folder, 'k', MINUTE).write('one', entry)
  expect(readdirSync(folder)).toEqual([])
})

test('where it is: XDG_CACHE_HOME if it is a path of its own, else ~/.cache', () => {
  expect(cacheHome({ XDG_CACHE_HOME: '/x' })).toBe('/x/netctl')
  expect(cacheHome({ XDG_CACHE_HOME: 'x' })).toMatch(/\/\.cache\/netctl$/)
  expect(cacheHome({})).toMatch(/\/\.cache\/netctl$/)
})
