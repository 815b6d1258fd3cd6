/** Every rule and set of every recorded cluster, through the typed tables and back. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { formatIpsetSave } from '../../src/kernel/ipset/format.ts'
import { parseIpsetSave } from '../../src/kernel/ipset/parse.ts'
import { formatIptablesSave } from '../../src/kernel/iptables/format.ts'
import { parseIptablesSave } from '../../src/kernel/iptables/parse.ts'
import { captures } from '../support/captures.ts'
import { needs } from '../support/needs.ts'

function read(file: string): string {
  const bytes = readFileSync(join(captures, file))
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
}

describe.runIf(needs('captures'))('dumps of recorded clusters', () => {
  const rules = globSync('*/{nodes,pods,external}/*/ip*-save.txt{,.gz}', { cwd: captures })
    .filter((f) => /\/ip6?tables-/.test(f))
    .sort()
  const sets = globSync('*/{nodes,pods,external}/*/ipset-save.txt{,.gz}', { cwd: captures }).sort()

  test('there are some', () => {
    expect(rules.length).toBeGreaterThan(100)
    expect(sets.length).toBeGreaterThan(50)
  })

  test.each(rules)('%s', (file) => {
    const text = read(file)
    // a boolean, since the difference of two large texts takes long to print
    expect(formatIptablesSave(parseIptablesSave(text, file, file.includes('/ip6') ? 6 : 4)) === text).toBe(true)
  })

  test.each(sets)('%s', (file) => {
    const text = read(file)
    expect(formatIpsetSave(parseIpsetSave(text, file)) === text).toBe(true)
  })
})
