import { describe, expect, test } from 'vitest'
import { printableJson, sanitize, sanitizeLines } from '../../src/report/sanitize.ts'
import { fc } from '../support/properties.ts'

/** What a terminal or a reader's eye could be fooled by; written independently of the implementation's ranges. */
const DANGEROUS = /\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}|\p{Cs}/u

describe('sanitize', () => {
  test.each([
    ['\u001b]0;owned\u0007', '\\x1b]0;owned\\x07'],
    ['\u009b31m', '\\x9b31m'],
    ['good\rbad', 'good\\rbad'],
    ['two\nlines\tand', 'two\\nlines\\tand'],
    ['user\u202etxt.exe', 'user\\u202etxt.exe'],
    ['zero\u200bwidth', 'zero\\u200bwidth'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
    ['half \ud800 pair', 'half \\ud800 pair'],
    ['KUBE-SVC-ABC → 10.0.0.1 “ok” é 漢字', 'KUBE-SVC-ABC → 10.0.0.1 “ok” é 漢字'],
  ])('%j', (hostile, shown) => {
    expect(sanitize(hostile)).toBe(shown)
  })

  test('nothing dangerous survives', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !DANGEROUS.test(sanitize(text))))
    fc.assert(fc.property(fc.array(fc.nat(0xffff)), (units) => !DANGEROUS.test(sanitize(String.fromCharCode(...units)))))
  })

  test('what was escaped stays escaped', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => sanitize(sanitize(text)) === sanitize(text)))
  })
})

test('sanitizeLines keeps lines apart, and nothing else', () => {
  expect(sanitizeLines('a\tb\nc\u001b[2J\r\n')).toBe('a b\nc\\x1b[2J\\r\n')
})

describe('printableJson', () => {
  test('is the same value for a reader, and harmless to a terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom(undefined, 2), (text, indent) => {
        const value = { [text]: [text] }
        const printed = printableJson(value, indent)
        expect(JSON.parse(printed)).toEqual(value)
        expect(DANGEROUS.test(printed.replaceAll('\n', ''))).toBe(false)
      }),
    )
  })

  test('without indent it is one line', () => {
    expect(printableJson({ a: 'x\ny\u2028z' })).toBe('{"a":"x\\ny\\u2028z"}')
  })
})
