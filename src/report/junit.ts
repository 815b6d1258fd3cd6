import type { Result, Results } from './results.ts'
import { sanitizeLines } from './sanitize.ts'

/**
 * JUnit XML as GitLab, Jenkins and GitHub's test reporters read it (the Apache Ant schema, with `file` and `line` of pytest): a suite
 * for each file, a case for each result. What can't be told is an `error`, not a `failure`: it is no *no*, but no reader shows it green.
 */
export function junitText(run: Results): string {
  const suites = new Map<string, Result[]>()
  for (const result of run.results) {
    const name = result.suite ?? result.file ?? run.command
    const suite = suites.get(name)
    if (suite) suite.push(result)
    else suites.set(name, [result])
  }
  const blocks = [...suites].map(([name, results]) => suiteXml(name, results))
  if (run.stop) blocks.push(stopXml(run.command, run.stop))
  const all = countsOf(run.results)
  const total = run.stop ? { ...all, tests: all.tests + 1, errors: all.errors + 1 } : all
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: run.command, ...total })}>`,
    ...blocks,
    '</testsuites>',
    '',
  ].join('\n')
}

interface Counts {
  readonly tests: number
  readonly failures: number
  readonly errors: number
  readonly skipped: number
}

const fails = (r: Result): boolean => r.level === 'error' || r.level === 'warning'

const countsOf = (results: readonly Result[]): Counts => ({
  tests: results.length,
  failures: results.filter(fails).length,
  errors: results.filter((r) => r.level === 'unknown').length,
  skipped: 0,
})

function suiteXml(name: string, results: readonly Result[]): string {
  return [`  <testsuite${attributes({ name, ...countsOf(results) })}>`, ...results.map((r) => caseXml(name, r)), '  </testsuite>'].join(
    '\n',
  )
}

function caseXml(suite: string, r: Result): string {
  const open = `    <testcase${attributes({ classname: suite, name: r.title, file: r.file, line: r.line })}`
  if (r.level === 'pass') return `${open}/>`
  const place = r.file === undefined ? '' : `${r.file}${r.line === undefined ? '' : `:${r.line}`}: `
  const [first = ''] = r.message.split('\n')
  const body = escapeXml(`${place}${r.message}`)
  if (r.level === 'note') return `${open}>\n      <system-out>${body}</system-out>\n    </testcase>`
  const tag = fails(r) ? 'failure' : 'error'
  return `${open}>\n      <${tag}${attributes({ message: first, type: r.code })}>${body}</${tag}>\n    </testcase>`
}

function stopXml(command: string, stop: NonNullable<Results['stop']>): string {
  const { code, message, file, line } = stop
  const open = `    <testcase${attributes({ classname: command, name: 'input', file, line })}>`
  return [
    `  <testsuite${attributes({ name: command, tests: 1, failures: 0, errors: 1, skipped: 0 })}>`,
    open,
    `      <error${attributes({ message, type: code })}>${escapeXml(message)}</error>`,
    '    </testcase>',
    '  </testsuite>',
  ].join('\n')
}

const attributes = (list: Readonly<Record<string, string | number | undefined>>): string =>
  Object.entries(list)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value)).replaceAll('\n', '&#10;')}"`)
    .join('')

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Text for an element or an attribute. `Char` of XML 1.0 has no C0 controls, surrogates, U+FFFE and U+FFFF, not even as a reference. */
const escapeXml = (text: string): string =>
  sanitizeLines(text)
    .replace(/[\ufffe\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`)
    .replace(/[&<>"]/g, (char) => ENTITIES[char] as string)
