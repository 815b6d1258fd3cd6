/** `netctl policy` without an input, on a terminal with someone at it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fakeApi, groupList, ok } from '../../support/fake-api.ts'
import { needs, root } from '../../support/needs.ts'
import { KEY, onTerminal } from '../../support/pty.ts'

const command = [process.execPath, join(root, 'bin/dev.ts'), 'policy', 'eval', 'shop/web-1', '10.0.0.9:80']

describe.runIf(needs('python3'))('on a terminal', () => {
  test('a snapshot nearby is picked, and the flag that names it is told', async () => {
    const steps = [{ wait: '● shop (folder)', send: KEY.enter }]
    const session = await onTerminal(command, steps, { cwd: join(root, 'examples'), env: { KUBECONFIG: '/nowhere' } })
    expect(session).toMatchObject({ stuck: null, restored: true })
    expect(session.text).toContain('Reading --snapshot shop')
    expect(session.text).toContain('pod/shop/web-1 → 10.0.0.9:80/tcp')
  })

  test('or a cluster of the kubeconfig', async () => {
    const pod = {
      metadata: { name: 'web-1', namespace: 'shop' },
      spec: { containers: [{ name: 'c' }] },
      status: { podIP: '10.0.0.1', phase: 'Running' },
    }
    const api = await fakeApi((path) => (path === '/apis' ? groupList({}) : ok({ items: path === '/api/v1/pods' ? [pod] : [] })))
    const empty = mkdtempSync(join(tmpdir(), 'netctl-empty-'))
    try {
      const session = await onTerminal(command, [{ wait: '● prod (cluster)', send: KEY.enter }], {
        cwd: empty,
        env: { KUBECONFIG: api.kubeconfig },
      })
      expect(session).toMatchObject({ stuck: null, restored: true, code: 0 })
      expect(session.text).toContain('Reading --context prod')
      expect(session.text).toContain('ALLOWED')
    } finally {
      api.close()
      rmSync(empty, { recursive: true })
    }
  })
})
