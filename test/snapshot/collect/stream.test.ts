import { expect, test } from 'vitest'
import { readStream } from '../../../src/snapshot/collect/stream.ts'

const stream = (...parts: readonly string[]) => Buffer.from(`netctl-collect 1\n${parts.join('')}`)
const file = (name: string, text: string) => `file ${name} ${Buffer.byteLength(text)}\n${text}\n`

test('files of the node and of pods, whatever bytes are in them', () => {
  const read = readStream(
    stream('node n1\n', file('node/nft.txt', 'end\nfile x 3\n'), file('pods/shop_web-1/ip-addr.json', '[]'), 'note no wg\n', 'end\n'),
  )
  expect([...read.files].map(([name, bytes]) => [name, bytes.toString()])).toEqual([
    ['nodes/n1/nft.txt', 'end\nfile x 3\n'],
    ['pods/shop_web-1/ip-addr.json', '[]'],
  ])
  expect(read).toMatchObject({ node: 'n1', notes: ['no wg'], whole: true })
})

test('what the user calls the node beats what it calls itself; a greeting before the stream is passed over', () => {
  const read = readStream(Buffer.concat([Buffer.from('Welcome!\n'), stream('node localhost\n', file('node/a.txt', ''), 'end\n')]), 'n2')
  expect([...read.files.keys()]).toEqual(['nodes/n2/a.txt'])
})

test('cut off anywhere, only whole files count, and no half pod', () => {
  const whole = stream('node n1\n', file('node/a.txt', 'aaaa'), file('pods/x_y/b.txt', 'bb'), file('pods/x_y/c.txt', 'cc'), 'end\n')
  for (let end = 0; end < whole.length; end++) {
    const read = readStream(whole.subarray(0, end))
    expect(read.whole).toBe(false)
    expect(['', 'nodes/n1/a.txt']).toContain([...read.files.keys()].join())
  }
  expect(readStream(whole).files.size).toBe(3)
})

test('an empty dump of rules counts beside nft’s list only, which comes later', () => {
  const parts = ['node n1\n', file('node/iptables-save.txt', '*nat\n'), file('node/ip6tables-save.txt', '')]
  expect([...readStream(stream(...parts)).files.keys()]).toEqual(['nodes/n1/iptables-save.txt'])
  const listed = readStream(stream(...parts, file('node/nft.txt', '')))
  expect([...listed.files.keys()]).toEqual(['nodes/n1/iptables-save.txt', 'nodes/n1/ip6tables-save.txt', 'nodes/n1/nft.txt'])
})

test.each(['node/../x.txt', '/etc/passwd.txt', 'node/a.sh', 'nodes/n2/a.txt', 'pods/x_y/../../a.txt', 'pods/_y/a.txt', 'snapshot.json'])(
  'a file may not be called %s',
  (name) => {
    expect(readStream(stream('node n1\n', file(name, 'x'), file('node/a.txt', 'x'), 'end\n'))).toMatchObject({
      whole: false,
      files: new Map(),
    })
  },
)

test('a node may not be called what leads elsewhere', () => {
  expect(readStream(stream('node ../n1\n', file('node/a.txt', 'x'), 'end\n'))).toMatchObject({ node: undefined, files: new Map() })
})

test('what is no stream is none', () => {
  expect(readStream(Buffer.from('sh: not found\n'))).toMatchObject({ whole: false, node: undefined })
})
