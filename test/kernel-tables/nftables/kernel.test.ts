/** Rules through the kernel: what it lists is read from both forms to one model, which nft loads to the same rules again. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { formatNft } from '../../../src/kernel/nftables/format.ts'
import { parseNftJson } from '../../../src/kernel/nftables/parse-json.ts'
import { parseNftText } from '../../../src/kernel/nftables/parse-text.ts'
import { needs } from '../../support/needs.ts'
import { nftReload } from '../../support/nft-reload.ts'
import { comparable, comparableForms, notUnderstood } from './same-rules.ts'

const rules = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8')

describe.runIf(needs('root', 'nft', 'unshare'))('nft and the kernel', () => {
  test('everything is understood, the same from both forms', () => {
    const { json, text } = nftReload(rules('everything.nft'))
    const [fromJson, fromText] = [parseNftJson(json, 'json'), parseNftText(text, 'text')]
    expect(notUnderstood(fromJson)).toEqual([])
    expect(notUnderstood(fromText)).toEqual([])
    expect(comparableForms(fromJson)).toEqual(comparableForms(fromText))
    expect(fromText.tables.flatMap((t) => [...t.chains.values()].flatMap((c) => c.rules)).length).toBeGreaterThan(500)
  })

  test('JSON → model → nft → kernel → JSON', () => {
    const before = parseNftJson(nftReload(rules('everything.nft')).json, 'json')
    const after = parseNftJson(nftReload(formatNft(before)).json, 'json')
    expect(comparable(after)).toEqual(comparable(before))
  })

  test.each(['everything.nft', 'text-only.nft'])('text → model → nft → kernel → text: %s', (name) => {
    const before = parseNftText(nftReload(rules(name)).text, 'text')
    const after = parseNftText(nftReload(formatNft(before)).text, 'text')
    expect(notUnderstood(before)).toEqual([])
    expect(comparable(after)).toEqual(comparable(before))
  })
})
