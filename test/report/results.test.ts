import { execaSync } from 'execa'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { githubText } from '../../src/report/github.ts'
import { junitText } from '../../src/report/junit.ts'
import type { Result, Results } from '../../src/report/results.ts'
import { sarifText } from '../../src/report/sarif.ts'
import { tapText } from '../../src/report/tap.ts'
import { fc } from '../support/properties.ts'

const results: readonly Result[] = [
  { code: 'PTE001', level: 'pass', title: 'web reaches api', message: '', file: 'tests/shop.yaml', line: 7 },
  {
    code: 'PTE001',
    level: 'error',
    title: 'db is closed',
    message: 'expected deny, got allow\nby shop/db',
    file: 'tests/shop.yaml',
    line: 12,
  },
  { code: 'PTE002', level: 'unknown', title: 'ping', message: 'the API does not say', file: 'tests/shop.yaml', line: 17 },
  { code: 'LNT004', level: 'note', title: 'selects nothing', message: 'no pod has app=old', file: 'b.yaml', line: 2 },
]
const run: Results = { command: 'netctl policy test', version: '1.2.3', rules: { PTE001: 'An expectation does not hold' }, results }
const one = (fields: Partial<Result>): Results => ({
  ...run,
  results: [{ code: 'PTE001', level: 'error', title: 'name', message: 'text', file: 'a.yaml', line: 3, ...fields }],
})
const stopped: Results = { ...run, results: [], stop: { code: 'POL001', message: 'expected a list', file: 'a.yaml', line: 4 } }

/** Elements and attributes as a parser that is not ours reads them; throws on XML that is not well formed. */
function readXml(xml: string): { tag: string; attributes: Record<string, string>; text: string }[] {
  const program = `import sys, json, xml.etree.ElementTree as e
print(json.dumps([{"tag": x.tag, "attributes": x.attrib, "text": (x.text or "").strip()} for x in e.fromstring(sys.stdin.buffer.read()).iter()]))`
  return JSON.parse(execaSync('python3', ['-c', program], { input: xml }).stdout)
}

describe('JUnit', () => {
  test('a suite a file, a case a result, counted', () => {
    const elements = readXml(junitText(run))
    expect(elements.map((e) => e.tag)).toEqual([
      'testsuites',
      ...['testsuite', 'testcase', 'testcase', 'failure', 'testcase', 'error'],
      ...['testsuite', 'testcase', 'system-out'],
    ])
    expect(elements[0]?.attributes).toEqual({ name: 'netctl policy test', tests: '4', failures: '1', errors: '1', skipped: '0' })
    expect(elements[1]?.attributes).toEqual({ name: 'tests/shop.yaml', tests: '3', failures: '1', errors: '1', skipped: '0' })
    expect(elements[3]?.attributes).toEqual({ classname: 'tests/shop.yaml', name: 'db is closed', file: 'tests/shop.yaml', line: '12' })
    expect(elements[4]).toEqual({
      tag: 'failure',
      attributes: { message: 'expected deny, got allow', type: 'PTE001' },
      text: 'tests/shop.yaml:12: expected deny, got allow\nby shop/db',
    })
  })

  test('input that could not be read is an error with its place', () => {
    const elements = readXml(junitText(stopped))
    expect(elements[0]?.attributes).toMatchObject({ tests: '1', errors: '1' })
    expect(elements.at(-1)).toEqual({ tag: 'error', attributes: { message: 'expected a list', type: 'POL001' }, text: 'expected a list' })
  })

  test('any text stays well formed', () => {
    const hostile = '</failure>&"\'<![CDATA[ ]]> \u0000\u0008\u001b[2J\ufffe\uffff\ud800 é'
    const elements = readXml(junitText(one({ title: hostile, message: hostile, file: hostile })))
    expect(elements.at(-1)?.text).toContain('</failure>&"\'<![CDATA[ ]]> \\x00\\x08\\x1b[2J\\ufffe\\uffff\\ud800 é')
    // Char of XML 1.0, third edition §2.2
    const legal = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => legal.test(junitText(one({ title: text, message: text, file: text })))))
  })
})

describe('SARIF', () => {
  test('rules, results and places', () => {
    const log = JSON.parse(sarifText(run))
    expect(log.version).toBe('2.1.0')
    const [only] = log.runs
    expect(only.tool.driver).toMatchObject({ name: 'netctl', version: '1.2.3' })
    expect(only.tool.driver.rules.map((r: { id: string }) => r.id)).toEqual(['PTE001', 'PTE002', 'LNT004'])
    expect(only.results.map((r: { level: string }) => r.level)).toEqual(['error', 'warning', 'note'])
    expect(only.results[0]).toEqual({
      ruleId: 'PTE001',
      ruleIndex: 0,
      level: 'error',
      message: { text: 'db is closed: expected deny, got allow\nby shop/db' },
      locations: [
        {
          physicalLocation: { artifactLocation: { uri: 'tests/shop.yaml', uriBaseId: '%SRCROOT%' }, region: { startLine: 12 } },
        },
      ],
    })
    expect(only.invocations).toEqual([{ executionSuccessful: true }])
  })

  test('input that could not be read', () => {
    expect(JSON.parse(sarifText(stopped)).runs[0].invocations).toMatchObject([
      { executionSuccessful: false, toolExecutionNotifications: [{ descriptor: { id: 'POL001' }, level: 'error' }] },
    ])
  })

  test.each([
    ['a b/ü#1?.yaml', 'a%20b/%C3%BC%231%3F.yaml'],
    ['./a:b.yaml', 'a%3Ab.yaml'],
    ['50%.yaml', '50%25.yaml'],
    ['../x/y.yaml', '../x/y.yaml'],
    ['half\ud800.yaml', 'half%EF%BF%BD.yaml'],
  ])('%s is the relative reference %s', (file, uri) => {
    expect(JSON.parse(sarifText(one({ file }))).runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri).toBe(uri)
  })

  test('an absolute path has no base; standard input and no file have no place', () => {
    const [absolute] = JSON.parse(sarifText(one({ file: '/srv/a b.yaml' }))).runs[0].results
    expect(absolute.locations[0].physicalLocation.artifactLocation).toEqual({ uri: 'file:///srv/a%20b.yaml' })
    expect(JSON.parse(sarifText(one({ file: '-' }))).runs[0].results[0]).not.toHaveProperty('locations')
  })

  test('no text becomes a link', () => {
    expect(JSON.parse(sarifText(one({ title: '', message: 'see [here](http://evil)' }))).runs[0].results[0].message.text).toBe(
      'see [here\\](http://evil)',
    )
  })
})

describe('GitHub annotations', () => {
  test('one a result that is no pass', () => {
    expect(githubText(run)).toBe(
      [
        '::error file=tests/shop.yaml,line=12,title=db is closed (PTE001)::expected deny, got allow%0Aby shop/db',
        '::warning file=tests/shop.yaml,line=17,title=ping (PTE002)::the API does not say',
        '::notice file=b.yaml,line=2,title=selects nothing (LNT004)::no pod has app=old',
        '',
      ].join('\n'),
    )
    expect(githubText(stopped)).toBe('::error file=a.yaml,line=4,title=netctl policy test (POL001)::expected a list\n')
  })

  test('no text ends its command or begins another', () => {
    const text = githubText(one({ title: 'a,line=1::x\n::error::y', message: '100%\n::set-output name=a::b\r\u001b[2J', file: 'x,y:z' }))
    expect(text).toBe(
      '::error file=x%2Cy%3Az,line=3,title=a%2Cline=1%3A%3Ax\\n%3A%3Aerror%3A%3Ay (PTE001)::100%25%0A::set-output name=a::b\\r\\x1b[2J\n',
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (s) => {
        const lines = githubText(one({ title: s, message: s, file: `f${s}` })).split('\n')
        return lines.length === 2 && lines[1] === ''
      }),
    )
  })
})

describe('TAP', () => {
  test('a line a result, and why', () => {
    expect(tapText({ ...run, results: results.slice(0, 2) })).toBe(
      [
        ...['TAP version 14', '1..2', 'ok 1 - web reaches api', 'not ok 2 - db is closed'],
        ...['  ---', '  code: "PTE001"', '  level: error', '  at: "tests/shop.yaml:12"'],
        ...['  message: "expected deny, got allow\\nby shop/db"', '  ...', ''],
      ].join('\n'),
    )
    expect(tapText(stopped)).toContain('Bail out! a.yaml:4: expected a list')
  })

  test('no title is a directive, every block is YAML', () => {
    expect(tapText(one({ level: 'pass', title: 'fine # SKIP \\ x' }))).toContain('ok 1 - fine \\# SKIP \\\\ x')
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (s) => {
        const [, block = ''] = /\n {2}---\n([\s\S]*?)\n {2}\.\.\./.exec(tapText(one({ message: s, title: s }))) ?? []
        return typeof parseYaml(block).message === 'string'
      }),
    )
  })
})
