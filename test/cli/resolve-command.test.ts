import { describe, expect, test } from 'vitest'
import { resolveCommand } from '../../src/cli/resolve-command.ts'
import { NetctlError } from '../../src/error.ts'

const surface = {
  commands: ['compare', 'completion', 'snapshot:show', 'trace'],
  valueFlags: new Set(['-n', '--namespace', '-o', '--output', '--snapshot']),
}
const resolve = (line: string) => resolveCommand(line.split(' ').filter(Boolean), surface)

function refusal(line: string): NetctlError {
  try {
    resolve(line)
  } catch (error) {
    if (error instanceof NetctlError) return error
  }
  throw new Error(`${line} was not refused`)
}

test.each([
  ['trace a b', { kind: 'command', id: 'trace', argv: ['a', 'b'] }],
  ['snapshot show x', { kind: 'command', id: 'snapshot:show', argv: ['x'] }],
  ['-n shop trace a b', { kind: 'command', id: 'trace', argv: ['-n', 'shop', 'a', 'b'] }],
  ['-n=shop --no-color trace a', { kind: 'command', id: 'trace', argv: ['-n=shop', '--no-color', 'a'] }],
  ['trace help b', { kind: 'command', id: 'trace', argv: ['help', 'b'] }],
  ['trace a -- -h', { kind: 'command', id: 'trace', argv: ['a', '--', '-h'] }],
  ['--version', { kind: 'version' }],
  ['', { kind: 'help', id: undefined }],
  ['-h', { kind: 'help', id: undefined }],
  ['help', { kind: 'help', id: undefined }],
  ['help snapshot show', { kind: 'help', id: 'snapshot:show' }],
  ['trace a -h', { kind: 'help', id: 'trace' }],
  ['snapshot', { kind: 'help', id: 'snapshot' }],
  ['snapshot --help', { kind: 'help', id: 'snapshot' }],
])('netctl %s', (line, request) => {
  expect(resolve(line)).toEqual(request)
})

describe('what is no command is refused, with the nearest', () => {
  test.each([
    ['trcae a b', 'netctl trace'],
    ['comp', 'netctl compare, or netctl completion'],
    ['snapshot shwo', 'netctl snapshot show'],
    ['show', 'netctl snapshot show'],
    ['zebra', 'netctl --help'],
    ['zebra --help', 'netctl --help'],
    ['help zebra', 'netctl --help'],
    ['-n shop', 'netctl --help'],
  ])('netctl %s', (line, advice) => {
    const error = refusal(line)
    expect([error.code, error.exitCode, error.try]).toEqual(['USE001', 2, advice])
  })
})
