/** The comparison with the kernel can fail: mistakes of one line in evaluators are noticed (mutations.ts). */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { needs, root } from '../support/needs.ts'
import { mutations } from './mutation-list.ts'

test.each(mutations)('a place for the mistake: $what', ({ file, find }) => {
  expect(readFileSync(join(root, file), 'utf8').split(find).length - 1).toBe(1)
})

test.runIf(needs('root', 'ip', 'python3', 'iptables-restore', 'ipset', 'nft'))('every mistake is noticed', { timeout: 600_000 }, () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'test/fuzz/mutations.ts')], { encoding: 'utf8' })
  expect(stdout + stderr).toContain(`${mutations.length} of ${mutations.length} mutations noticed`)
  expect(status).toBe(0)
})
