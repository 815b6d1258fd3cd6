/** Random rulesets through the kernel. */

import { describe, expect, test } from 'vitest'
import { formatNft } from '../../../src/kernel/nftables/format.ts'
import { parseNftJson } from '../../../src/kernel/nftables/parse-json.ts'
import { parseNftText } from '../../../src/kernel/nftables/parse-text.ts'
import { needs } from '../../support/needs.ts'
import { nftReload } from '../../support/nft-reload.ts'
import { fc } from '../../support/properties.ts'
import { randomRuleset } from './random-ruleset.ts'
import { comparable, comparableForms } from './same-rules.ts'

test('what is printed is read back', () => {
  fc.assert(
    fc.property(randomRuleset, (ruleset) => {
      expect(comparable(parseNftText(formatNft(ruleset), 'f'))).toEqual(comparable(ruleset))
    }),
    { numRuns: 50 },
  )
})

describe.runIf(needs('root', 'nft', 'unshare'))('random rulesets', () => {
  test('come back from the kernel in both forms', () => {
    fc.assert(
      fc.property(randomRuleset, (ruleset) => {
        const { json, text } = nftReload(formatNft(ruleset))
        expect(comparable(parseNftText(text, 'text'))).toEqual(comparable(ruleset))
        expect(comparableForms(parseNftJson(json, 'json'))).toEqual(comparableForms(ruleset))
      }),
      { numRuns: 30 },
    )
  })
})
