import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { canonical } from '../../../src/cluster/selector/canonical.ts'
import { matches } from '../../../src/cluster/selector/evaluate.ts'
import { parseSelector } from '../../../src/cluster/selector/parse.ts'
import { needs } from '../../support/needs.ts'
import { policyCases } from '../../support/policy-cases.ts'
import { fc } from '../../support/properties.ts'
import { selectors } from './random.ts'

const write = (text: string): string => {
  const selector = parseSelector(text)
  return selector.kind === 'error' ? `${selector.column}: ${selector.message}` : canonical(selector)
}

describe.runIf(needs('policy-cases'))('selectors that Calico itself judged', () => {
  interface Gold {
    readonly labels: readonly Record<string, string>[]
    readonly cases: readonly { selector: string; valid: boolean; canonical?: string; matches?: readonly boolean[] }[]
  }
  const gold = JSON.parse(readFileSync(join(policyCases, 'calico/selectors.json'), 'utf8')) as Gold
  it.each(gold.cases)('$selector', (example) => {
    const selector = parseSelector(example.selector)
    if (selector.kind === 'error') return expect(example.valid).toBe(false)
    expect(canonical(selector)).toBe(example.canonical)
    expect(gold.labels.map((labels) => matches(selector, new Map(Object.entries(labels))))).toEqual(example.matches)
  })
})

// derived by hand from the tokenizer and parser of libcalico-go/lib/selector
describe('traps of the grammar', () => {
  it.each([
    ['a notin{"x"}', 'a not in {"x"}'],
    ["a not\t in { 'x' , 'y' , }", 'a not in {"x", "y"}'],
    ['a startswith"x"', 'a starts with "x"'],
    ["a ends\t\twith'x'", 'a ends with "x"'],
    ["a contains'x'", 'a contains "x"'],
    ['in in {"in"}', 'in in {"in"}'],
    ['contains contains "contains"', 'contains contains "contains"'],
    ['notin not in {"x"}', 'notin not in {"x"}'],
    ['all == "x" && global != "y"', '(all == "x" && global != "y")'],
    ['hash == "x"', 'hash == "x"'],
    ['all( )', 'all()'],
    ['global(\t)', 'global()'],
    ['!! ! has(a)', '!has(a)'],
    ['!(!has(a))', '!!has(a)'],
    ['!(!(!has(a)))', '!!!has(a)'],
    ['a/b/c == "x"', 'a/b/c == "x"'],
    ['-./_ == "x"', '-./_ == "x"'],
    ['a == "x\ny"', 'a == "x\ny"'],
    ['(a == "1" && b == "2") && c == "3"', '((a == "1" && b == "2") && c == "3")'],
    ['a == "1" || b == "2" && c == "3" || !d == "4"', '(a == "1" || (b == "2" && c == "3") || !d == "4")'],
    [`a in {"'", '"'}`, `a in {'"', "'"}`],
    // Go sorts bytes of UTF-8: U+FFFF before U+1F600, which in UTF-16 begins with a surrogate
    ['a in {"\u{1f600}", "\uffff", "z"}', 'a in {"z", "\uffff", "\u{1f600}"}'],
  ])('%s', (text, expected) => expect(write(text)).toBe(expected))
})

describe('what is wrong, and where', () => {
  const operator = '==, !=, in, not in, contains, starts with or ends with after the label'
  const term = 'a label, has(…), all(), `!` or `(`'
  it.each([
    ['a = "b"', `3: expected ${operator}, found \`=\``],
    ['a === "b"', '5: expected a text in quotes, found `=`'],
    ['a == b', '6: expected a text in quotes, found `b`'],
    ['a == "b', '6: expected " at the end of the text that begins here, found the end'],
    ["a == 'x\\'y'", '10: expected `&&`, `||` or the end, found `y`'],
    ['a == "b" and c == "d"', '10: expected `&&`, `||` or the end, found `and`'],
    ['a == "b" & c == "d"', '10: expected `&&`, `||` or the end, found `&`'],
    ['a == "b" && ', `13: expected ${term}, found the end`],
    ['a == "b" || || c == "d"', `13: expected ${term}, found \`||\``],
    ['a starts foo "x"', `3: expected ${operator}, found \`starts\``],
    ['a ends withs "x"', `3: expected ${operator}, found \`ends\``],
    ['a inf {"x"}', `3: expected ${operator}, found \`inf\``],
    ['a in {,"x"}', '7: expected a text in quotes or `}`, found `,`'],
    ['a in {"x" "y"}', '11: expected `,` or `}`, found `"`'],
    ['has (a)', `5: expected ${operator}, found \`(\``],
    ['all ()', `5: expected ${operator}, found \`(\``],
    ["has('a')", "5: expected a label, found `'`"],
    ['(a == "b"', '10: expected `)`, found the end'],
    ['a == "b")', '9: expected `&&`, `||` or the end, found `)`'],
    ['!', `2: expected ${term}, found the end`],
    ['a == "b"\n', '9: expected `&&`, `||` or the end, found `\ufffd`'],
    ['a\u00a0== "b"', `2: expected ${operator}, found \`\u00a0\``],
    [`${'a'.repeat(513)} == "b"`, '1: expected a label of at most 512 characters, found 513'],
  ])('%s', (text, expected) => expect(write(text)).toBe(expected))
})

describe('hostile text', () => {
  it('takes brackets as deep as we walk, and no deeper', () => {
    expect(write(`${'('.repeat(500)}has(a)${')'.repeat(500)}`)).toBe('has(a)')
    expect(write(`${'(!'.repeat(100_000)}has(a)`)).toBe('1001: expected at most 500 brackets in one another')
    expect(write('('.repeat(100_000))).toBe('501: expected at most 500 brackets in one another')
    expect(write(`${'!'.repeat(100_001)}has(a)`)).toBe('!has(a)')
  })

  it('takes no text that no object could hold', () => {
    expect(write('a'.repeat(2_000_000))).toBe('1572864: expected at most 1572864 characters, found 2000000')
  })

  it('takes time that grows with the text only', () => {
    const start = performance.now()
    write(`a${' '.repeat(200_000)}not${' '.repeat(200_000)}x`)
    write(Array.from({ length: 50_000 }, (_, i) => `a == "${i}"`).join(' || '))
    write(`a in {${'"x",'.repeat(300_000)}}`)
    write(`a == "${'"'.repeat(500_000)}`)
    expect(performance.now() - start).toBeLessThan(10_000)
  })

  it('says of every cut of a selector that it is cut', () => {
    const whole = `(a == "1" || b not in {'2', '3'}) && !has(c) && d starts with "x"`
    for (let end = 1; end < whole.length; end++) {
      const cut = parseSelector(whole.slice(0, end))
      // whole conditions without what would follow are selectors too
      if (cut.kind === 'error') expect(cut.column).toBeLessThanOrEqual(end + 1)
      else expect(whole.slice(0, end)).toMatch(/\) ?$/)
    }
  })

  it('never throws', () => {
    const alphabet = [
      'a',
      'has(',
      'all(',
      ')',
      '(',
      '!',
      '=',
      '&',
      '|',
      '"',
      "'",
      '{',
      '}',
      ',',
      ' ',
      '\t',
      'in',
      'not',
      'starts',
      'with',
      'é',
    ]
    fc.assert(fc.property(fc.array(fc.constantFrom(...alphabet)), (words) => void parseSelector(words.join(''))))
  })
})

describe('the canonical form', () => {
  it('is read as what it was written from', () => {
    fc.assert(
      fc.property(selectors, (selector) => void expect(parseSelector(canonical(selector))).toEqual(selector)),
      { numRuns: 2000 },
    )
  })

  it('takes nothing for something else, not even what the language cannot write', () => {
    expect(canonical({ kind: 'equal', key: 'a" || b', value: 'c' })).toBe('\\"a\\" || b" == "c"')
    expect(canonical({ kind: 'equal', key: 'a', value: `"'` })).toBe(`a == \\"\\"'"`)
    expect(canonical({ kind: 'has', key: '' })).toBe('has(\\"")')
  })
})
