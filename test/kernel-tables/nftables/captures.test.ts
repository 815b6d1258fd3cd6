/** Native tables of the recorded clusters: both forms give one model, and nft loads it to the same rules. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { formatNft } from '../../../src/kernel/nftables/format.ts'
import { parseNftJson } from '../../../src/kernel/nftables/parse-json.ts'
import { parseNftText } from '../../../src/kernel/nftables/parse-text.ts'
import { isXtables } from '../../../src/kernel/nftables/xtables.ts'
import { captures } from '../../support/captures.ts'
import { needs } from '../../support/needs.ts'
import { nftReload } from '../../support/nft-reload.ts'
import { dump, dumps } from '../dumps.ts'
import { comparable, comparableForms, notUnderstood } from './same-rules.ts'

describe.runIf(needs('captures'))('nft dumps of recorded clusters', () => {
  const files = dumps('nft.json').map(({ file }) => file)

  test('there are some', () => expect(files.length).toBeGreaterThan(50))

  test.each(files)('%s', (file) => {
    const other = ['', '.gz'].map((end) => file.replace(/json(\.gz)?$/, `txt${end}`)).find((f) => existsSync(join(captures, f)))
    const [fromJson, fromText] = [parseNftJson(dump(file), file), parseNftText(dump(other as string), 'text')]
    expect(notUnderstood(fromJson)).toEqual([])
    // the forms were dumped one after the other
    const meanwhile = ['packets', 'bytes']
    expect(comparableForms(fromText, ...meanwhile)).toEqual(comparableForms(fromJson, ...meanwhile))
    expect(fromText.tables.every((t) => [...t.chains.values()].every((c) => c.line > 1))).toBe(true)
  })

  const native = files.filter((file) => /nft|random-[12]|hep-ipv6|none-vxlan/.test(file))
  test.runIf(needs('root', 'nft', 'unshare')).each(native)('through the kernel: %s', (file) => {
    const recorded = parseNftJson(dump(file), file)
    const own = recorded.tables.filter((t) => !isXtables(t))
    expect(own.length).toBeGreaterThan(0)
    const { json, text } = nftReload(formatNft({ file, tables: own }))
    expect(comparable(parseNftJson(json, 'json'))).toEqual(comparable(recorded))
    expect(comparableForms(parseNftText(text, 'text'))).toEqual(comparableForms(recorded))
  })
})
