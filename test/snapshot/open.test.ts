import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type Header, pack } from 'tar-stream'
import { afterAll, describe, expect, test } from 'vitest'
import { loadSnapshot } from '../../src/snapshot/load.ts'
import { openSnapshot } from '../../src/snapshot/open.ts'
import { LIMITS } from '../../src/system/files.ts'
import { openFolder } from '../../src/system/files-folder.ts'
import { openFiles } from '../../src/system/files-open.ts'
import { example, filesOf, touchAll } from './damage.ts'

const dir = mkdtempSync(join(tmpdir(), 'netctl-open-'))
afterAll(() => rmSync(dir, { recursive: true }))

/** Writes an archive of these entries and gives its path. */
async function archive(
  name: string,
  entries: readonly (Partial<Header> & { readonly name: string; readonly content?: Buffer | string })[],
  gzip = true,
): Promise<string> {
  const tar = pack()
  for (const { content, ...header } of entries) tar.entry(header as Header, content ?? '')
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar) chunks.push(chunk as Buffer)
  const path = join(dir, name)
  writeFileSync(path, gzip ? gzipSync(Buffer.concat(chunks)) : Buffer.concat(chunks))
  return path
}

const shop = [...filesOf(example)].map(([name, content]) => ({ name, content }))

describe('archives', () => {
  test.each([
    ['plain', 'a.tar', '', false],
    ['compressed', 'a.tar.gz', '', true],
    ['with ./', 'b.tgz', './', true],
    ['in a folder', 'c.tgz', 'shop-2026/', true],
    ['whatever they are called', 'd.bin', '', true],
  ])('%s', async (_, name, prefix, gzip) => {
    const path = await archive(
      name,
      [{ name: 'truth.jsonl', content: 'x' }, ...shop].map((e) => ({ ...e, name: prefix + e.name })),
      gzip,
    )
    const snapshot = await openSnapshot(path)
    expect([...snapshot.hosts.keys()]).toEqual([...loadSnapshot(openFolder(example)).hosts.keys()])
    expect(snapshot.files).not.toContain('truth.jsonl')
    expect(snapshot.line('nodes/n1/iptables-save.txt', 2)).toBe('*mangle')
  })

  test.each<[string, Partial<Header> & { name: string }, string]>([
    ['a name with ..', { name: 'nodes/../../etc/cron.d/x' }, 'leads out'],
    ['an absolute name', { name: '/etc/passwd' }, 'leads out'],
    ['a symbolic link', { name: 'nodes/n1/iptables-save.txt', type: 'symlink', linkname: '/etc/passwd' }, 'symlink'],
    ['a hard link', { name: 'nodes/n1/iptables-save.txt', type: 'link', linkname: 'snapshot.json' }, 'link'],
    ['a FIFO', { name: 'nodes/n1/x', type: 'fifo' }, 'fifo'],
    ['a device', { name: 'nodes/n1/x', type: 'character-device' }, 'character-device'],
  ])('%s is refused', async (_, entry, why) => {
    const path = await archive('evil.tgz', [...shop.slice(0, 3), entry])
    await expect(openSnapshot(path)).rejects.toMatchObject({ name: 'FileError', path, message: expect.stringContaining(why) })
  })

  test('bombs are refused: size, entries, ratio, one file', async () => {
    const zeros = Buffer.alloc(3_000_000)
    const path = await archive('bomb.tgz', [
      { name: 'nodes/n1/a', content: zeros },
      { name: 'nodes/n1/b', content: zeros },
    ])
    const small = { ...LIMITS, ratioFrom: 10_000_000 }
    await expect(openFiles(path, { ...small, archive: 4_000_000 })).rejects.toThrow('unpacks to more than')
    await expect(openFiles(path, { ...small, entries: 1 })).rejects.toThrow('more than 1 entries')
    await expect(openFiles(path, { ...LIMITS, ratio: 100, ratioFrom: 1_000_000 })).rejects.toThrow('100 times its size')
    await expect(openFiles(path, { ...small, file: 1_000_000 })).rejects.toThrow('larger than 1 MiB')
  })

  test('a bomb inside, as a .gz file', async () => {
    const path = await archive('inner.tgz', [...shop, { name: 'nodes/n2/nft.txt.gz', content: gzipSync(Buffer.alloc(100 * 2 ** 20)) }])
    const source = await openFiles(path, { ...LIMITS, file: 50 * 2 ** 20 })
    expect(() => source.read('nodes/n2/nft.txt.gz')).toThrow('unpacks to more than 50 MiB')
  })

  test('damaged ones', async () => {
    const whole = await archive('whole.tgz', shop)
    const cut = join(dir, 'cut.tgz')
    writeFileSync(cut, readFileSync(whole).subarray(0, 20_000))
    await expect(openSnapshot(cut)).rejects.toMatchObject({ name: 'FileError', path: cut })
    const noise = join(dir, 'noise.tgz')
    writeFileSync(noise, gzipSync('no archive at all'.repeat(100)))
    await expect(openSnapshot(noise)).rejects.toMatchObject({ name: 'FileError', path: noise })
  })
})

describe('folders', () => {
  test('links that stay inside are followed, others and pipes are refused', () => {
    const folder = join(dir, 'linked')
    cpSync(example, folder, { recursive: true })
    const target = join(folder, 'nodes/n1/versions.txt')
    rmSync(target)
    symlinkSync('../n2/versions.txt', target)
    expect(loadSnapshot(openFolder(folder)).hosts.get('node/n1')?.versions).toBeDefined()
    rmSync(target)
    symlinkSync('/etc/hostname', target)
    const refused = (why: string) =>
      expect(() => touchAll(loadSnapshot(openFolder(folder)))).toThrow(
        expect.objectContaining({ file: 'nodes/n1/versions.txt', line: 1, message: expect.stringContaining(why) }),
      )
    refused('outside')
    rmSync(target)
    execFileSync('mkfifo', [target])
    refused('neither a file nor a folder')
  })

  test('a .gz file that is none', () => {
    const folder = join(dir, 'badgz')
    cpSync(example, folder, { recursive: true })
    writeFileSync(join(folder, 'nodes/n3/sockets.txt.gz'), 'plain text')
    expect(() => touchAll(loadSnapshot(openFolder(folder)))).toThrow(expect.objectContaining({ file: 'nodes/n3/sockets.txt.gz', line: 1 }))
  })
})

describe('a path that is no snapshot', () => {
  test('names the snapshots below and above', async () => {
    await expect(openSnapshot(join(example, '..'))).rejects.toMatchObject({ candidates: [`--snapshot ${join(example, '..')}/shop`] })
    await expect(openSnapshot(join(example, 'nodes/n1'))).rejects.toMatchObject({ candidates: [`--snapshot ${example}`] })
  })

  test('names what lies beside one that does not exist', async () => {
    await expect(openSnapshot(join(example, '../shpo'))).rejects.toMatchObject({ candidates: [`--snapshot ${join(example, '../shop')}`] })
  })

  test('is refused if it is a file of another kind, or empty', async () => {
    await expect(openSnapshot(join(example, 'snapshot.json'))).rejects.toThrow('neither a folder nor a .tar')
    mkdirSync(join(dir, 'empty'))
    await expect(openSnapshot(join(dir, 'empty'))).rejects.toThrow('no snapshot')
  })
})

describe('a damaged dump', () => {
  const file = 'nodes/n3/iptables-save.txt'
  const copy = (name: string): string => {
    const path = join(dir, name)
    cpSync(example, path, { recursive: true })
    const whole = readFileSync(join(path, file))
    writeFileSync(join(path, file), whole.subarray(0, whole.length >> 1))
    return path
  }

  test('is told at once where all is read in a moment', async () => {
    await expect(openSnapshot(copy('damaged'))).rejects.toMatchObject({ name: 'ParseError', file })
  })

  test('of a large snapshot is told to whoever comes to it', async () => {
    const path = copy('large')
    // takes no room on the disk, and nobody reads it
    writeFileSync(join(path, 'nodes/n3/core'), '')
    truncateSync(join(path, 'nodes/n3/core'), 65 * 2 ** 20)
    const { hosts } = await openSnapshot(path)
    expect(hosts.get('node/n1')?.iptables[4]).toHaveLength(1)
    expect(() => hosts.get('node/n3')?.iptables[4]).toThrow(expect.objectContaining({ name: 'ParseError', file }))
  })
})
