/** netctl compare as its users run it. */
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { netctl } from '../support/netctl.ts'
import { boundedRows } from '../support/rows.ts'
import { aspects } from '../trace/comparison/expectations.ts'

const shop = ['--snapshot', 'examples/shop']
const delivered = ['pod/shop/web-1', 'svc/shop/api:80', ...shop]
const denied = ['pod/shop/web-1', 'pod/data/db-1:5432', ...shop]
const untold = ['pod/shop/web-1', '172.18.0.2:6443', ...shop]

test.each([
  ['delivered', delivered, 0],
  ['dropped: it could be walked all the same', denied, 0],
  ['undecided', untold, 3],
  ['no such pod', ['pod/shop/nobody', 'svc/shop/api:80', ...shop], 2],
  ['a flag of trace only', [...delivered, '--brief'], 2],
])('exit code: %s', async (_what, args, code) => {
  expect((await netctl(['compare', ...args])).code).toBe(code)
})

test('json: the flow and the eight aspects in order; yaml says the same', async () => {
  const [json, yaml] = await Promise.all(['json', 'yaml'].map((o) => netctl(['compare', ...delivered, '-o', o])))
  const document = JSON.parse(json?.stdout ?? '')
  expect(document.comparison.map((row: { aspect: string }) => row.aspect)).toEqual(aspects)
  for (const { calico, kubeProxy } of document.comparison) {
    for (const part of [calico, kubeProxy]) {
      expect(part).toMatchObject({ acted: expect.any(Boolean), what: expect.stringMatching(/\w/), evidence: expect.any(Array) })
      if (part.acted)
        expect(part.evidence[0]).toMatchObject({ file: expect.any(String), line: expect.any(Number), text: expect.any(String) })
    }
  }
  expect(parse(yaml?.stdout ?? '')).toEqual(document)
})

test.each([80, 120])('text: within %i columns, every aspect of both, no colour in a pipe', async (columns) => {
  const { stdout } = await netctl(['compare', ...delivered], { env: { COLUMNS: String(columns) } })
  expect(stdout).not.toContain('\u001b')
  for (const name of ['service management', 'network policies', 'load balancing', 'pod IP management']) expect(stdout).toContain(name)
  for (const row of boundedRows(stdout)) expect([...row].length).toBeLessThanOrEqual(columns)
})

test('a bad flow line is told with file and line', async () => {
  const { code, stdout, stderr } = await netctl(['compare', '--flows', '-', ...shop], { input: '{"from": \n' })
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain('(stdin):1')
})
