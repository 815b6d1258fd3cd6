/** The scripts for nodes, put together from bin/node. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { collectorText, verifyTexts } from '../../src/system/node-scripts.ts'
import { needs, root } from '../support/needs.ts'

test('by hand, as collect.sh says, it is the same script', () => {
  const text = (file: string) => readFileSync(join(root, 'bin/node', file), 'utf8')
  const [, files = ''] = /^#\s+cat (.*) \| sh /m.exec(text('collect.sh')) ?? []
  expect(files.split(' ').map(text).join('\n')).toBe(collectorText(root))
})

test.runIf(needs('dash', 'busybox')).each([[['dash']], [['busybox', 'ash']]])('%s takes all of it', async ([shell = '', ...applet]) => {
  for (const input of [collectorText(root), verifyTexts(root).functions])
    expect((await execa(shell, [...applet, '-n'], { input })).stderr).toBe('')
})
