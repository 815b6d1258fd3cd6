import { expect, test } from 'vitest'
import { fuzzyFilter } from '../../src/cli/fuzzy.ts'
import { shellLine } from '../../src/cli/shell-words.ts'

const names = ['pod/shop/client', 'pod/shop/web-1', 'svc/shop/web', 'pod/kube-system/coredns', 'node/n1']
const filter = (search: string): string[] => fuzzyFilter(search, names, (n) => n)

test.each([
  ['', names],
  ['web', ['svc/shop/web', 'pod/shop/web-1']],
  ['shop 1', ['pod/shop/web-1']],
  ['SVC', ['svc/shop/web']],
  ['kdns', ['pod/kube-system/coredns']],
  ['zz', []],
])('“%s”', (search, found) => {
  expect(filter(search).sort()).toEqual([...found].sort())
})

test('words as they are come before letters one by one', () => {
  expect(fuzzyFilter('api', ['a-pod-in', 'xapi', 'shop/api'], (n) => n)).toEqual(['shop/api', 'xapi', 'a-pod-in'])
})

test('a command line can be pasted back', () => {
  expect(shellLine(['netctl', 'trace', 'svc/web:80', '[fd00::5]:80', "it's", ''])).toBe(
    "netctl trace svc/web:80 '[fd00::5]:80' 'it'\\''s' ''",
  )
})
