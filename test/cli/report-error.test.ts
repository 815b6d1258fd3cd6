import { describe, expect, test } from 'vitest'
import { formatError, formatErrorJson, toNetctlError } from '../../src/cli/report-error.ts'
import { NetctlError } from '../../src/error.ts'
import { ParseError } from '../../src/kernel/source.ts'
import { FileError } from '../../src/system/files.ts'

const plain = { colourStderr: false, unicode: true }

describe('what was thrown', () => {
  test.each([
    ['a dump that can’t be read', new ParseError('nodes/n1/a.txt', 7, 'expected a rule'), 'SNP001', 2],
    ['a file that can’t be read', new FileError('/x', 'no such folder'), 'SNP002', 2],
    ['a full disk', Object.assign(new Error('ENOSPC'), { syscall: 'write', code: 'ENOSPC' }), 'OUT001', 2],
    ['a bug', new TypeError('x is undefined'), 'BUG001', 70],
    ['no error at all', 'text', 'BUG001', 70],
  ])('%s', (_, thrown, code, exitCode) => {
    const error = toNetctlError(thrown)
    expect([error.code, error.exitCode]).toEqual([code, exitCode])
    expect(error.try).toBeTruthy()
  })

  test('our own refusals pass as they are', () => {
    const error = new NetctlError({ code: 'X', message: 'm' })
    expect(toNetctlError(error)).toBe(error)
  })
})

const parse = toNetctlError(new ParseError('nodes/n1/iptables-save.txt', 412, 'expected a rule, found “<html>”'))

test('one message: place first, then what to do, and no stack', () => {
  expect(formatError(parse, plain, false)).toBe(
    '✗ nodes/n1/iptables-save.txt:412: expected a rule, found “<html>” (SNP001)\n  Try: mend that line; a snapshot that is damaged has to be taken again\n',
  )
})

test('DEBUG shows the stack, and the cause’s', () => {
  const shown = formatError(parse, plain, true)
  expect(shown).toContain('caused by:')
  expect(shown).toContain('ParseError')
})

test('without Unicode and colour it is ASCII; colour only where it may be', () => {
  const error = new NetctlError({ code: 'X', message: 'm' })
  expect(formatError(error, { colourStderr: false, unicode: false }, false)).toBe('x m (X)\n')
  expect(formatError(error, { colourStderr: true, unicode: true }, false)).toContain('\u001b[31m')
})

test('hostile names are shown, not obeyed', () => {
  const error = toNetctlError(new ParseError('nodes/\u001b[2J/a.txt', 1, 'found “\u202e”'))
  expect(formatError(error, plain, true)).not.toMatch(/[\u001b\u202e]/)
})

test('machines get one object', () => {
  expect(JSON.parse(formatErrorJson(parse))).toEqual({
    error: {
      code: 'SNP001',
      message: 'expected a rule, found “<html>”',
      try: 'mend that line; a snapshot that is damaged has to be taken again',
      exitCode: 2,
      file: 'nodes/n1/iptables-save.txt',
      line: 412,
    },
  })
})
