import { expect, test } from 'vitest'
import { unwrapped } from '../../src/cli/help.ts'
import { netctl } from '../support/netctl.ts'

test('a paragraph is one line, and ends where a line ends with a full stop', () => {
  expect(unwrapped('Walks the\nfirst packet.\nExit code: 0,\n1.')).toBe('Walks the first packet.\nExit code: 0, 1.')
})

test('help at 80 columns: the summary once, arguments as the text calls them, no line broken before its time', async () => {
  const { code, stdout } = await netctl(['trace', '--help'], { env: { COLUMNS: '80' } })
  expect(code).toBe(0)
  expect(stdout.split('Follow a packet')).toHaveLength(2)
  expect(stdout).toContain('[SRC]')
  const description = /^DESCRIPTION\n(.*?)\n\n/ms.exec(stdout)?.[1] ?? ''
  const lines = description.split('\n')
  expect(lines.length).toBeGreaterThan(8)
  // the word that begins a line had no room on the line before, but where that ends a paragraph
  for (const [i, line] of lines.entries()) {
    const next = lines[i + 1]?.trim().split(' ')[0]
    if (next !== undefined && !line.endsWith('.')) expect(line.length + 1 + next.length, line).toBeGreaterThan(80)
  }
})
