import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, describe, expect, test } from 'vitest'
import { readStream } from '../../../src/snapshot/collect/stream.ts'
import { script } from '../collected-lab.ts'
import { needs, root } from '../needs.ts'
import { type RecordedNode, recordedNode } from './recorded-node.ts'

const shop = join(root, 'examples/shop')

describe.runIf(needs('root', 'busybox'))('a recorded node', () => {
  let node: RecordedNode | undefined
  afterEach(() => node?.remove())

  const collect = async () => {
    const run = node?.run(['sh', '-s', '--', '20', 'n1'])
    if (run?.kind !== 'run') throw new Error('not run')
    const [file = '', ...args] = run.argv
    const { stdout } = await execa(file, args, {
      input: script,
      env: { ...run.env },
      extendEnv: false,
      encoding: 'buffer',
      stripFinalNewline: false,
    })
    return readStream(Buffer.from(stdout))
  }

  test('the collector reads from it what was recorded, its pods as well', async () => {
    node = recordedNode({ dumps: join(shop, 'nodes/n1'), pods: [join(shop, 'pods/shop_web-1')] })
    const { files, notes, whole } = await collect()
    expect(whole).toBe(true)
    const recorded = readdirSync(join(shop, 'nodes/n1'))
    for (const file of recorded) expect([...files.keys()].join(' ')).toContain(`nodes/n1/${file}`)
    expect([...files.keys()].filter((name) => name.startsWith('pods/'))).toContain('pods/shop_web-1/ip-route.json')
    expect(notes).toEqual(['node/sockets.txt: there is no ss'])
  })

  test('with the tools of kube-proxy’s image alone', async () => {
    node = recordedNode({ dumps: join(shop, 'nodes/n1'), tools: ['iptables-nft-save', 'ip6tables-nft-save', 'ipset', 'nft', 'conntrack'] })
    const { files, notes } = await collect()
    expect([...files.keys()]).toContain('nodes/n1/iptables-save.txt.gz')
    expect(notes).toContain('node/ip-addr.json: there is no ip')
  })
})
