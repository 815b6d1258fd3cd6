/**
 * `netctl collect` ended at twenty moments: killed, the API server gone, a node gone. Whatever is left is gone after the time limit, and what could be read
 * until then is a snapshot that says what is missing. Moments are counted in requests and pieces of output, not in seconds.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { openSnapshot } from '../../../src/snapshot/open.ts'
import { namespaceOf } from '../../support/fake-cluster/objects.ts'
import { type FakeCluster, fakeCluster } from '../../support/fake-cluster.ts'
import { makeFleet } from '../../support/fleet.ts'
import { root } from '../../support/needs.ts'

const fleet = makeFleet({ nodes: 3, services: 20, podsPerNode: 3 })
/** fewer than there are in a run that nothing happens to; the last test holds it against one */
const MOMENTS = 115
/** for a node; one that is gone takes all of it, the others none that matters */
const TIMEOUT_S = 20
/** of a Job: --timeout, the grace that netctl adds, and the time to live of what has ended */
const LIMIT_S = TIMEOUT_S + 30 + 10

interface Ended {
  readonly exitCode: number | undefined
  readonly stderr: string
  readonly api: FakeCluster
  readonly folder: string
  /** of the snapshot */
  readonly out: string
  readonly count: number
}

/** Runs it, does something at a moment, and looks at what has become of it. */
async function collect(moment: number, happens: (api: FakeCluster, kill: () => void) => void, then: (ended: Ended) => Promise<void>) {
  let count = 0
  const tick = (): void => {
    if (++count === moment) happens(api, () => running.kill('SIGKILL'))
  }
  async function* pieces(node: string): AsyncIterable<Buffer> {
    for (const piece of fleet.stream(node)) {
      tick()
      await sleep(2)
      yield piece
    }
  }
  const api = await fakeCluster({
    objects: [...fleet.objects, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'netctl' } }],
    exec: ({ node }) => ({ kind: 'stream', pieces: pieces(node) }),
    fault: () => void tick(),
  })
  const folder = mkdtempSync(join(tmpdir(), 'netctl-killed-'))
  const out = join(folder, 'snapshot.tar.gz')
  const args = ['collect', '--kubeconfig', api.kubeconfig, '--via', 'pod', '--timeout', `${TIMEOUT_S}s`, '-O', out]
  const running = execa(process.execPath, [join(root, 'bin/dev.ts'), ...args], { reject: false, stdin: 'ignore' })
  try {
    const { exitCode, stderr } = await running
    await then({ exitCode, stderr, api, folder, out, count })
  } finally {
    await api.close()
    rmSync(folder, { recursive: true })
  }
}

/** In the cluster, once the time limit is over. */
function leftAfterLimit(api: FakeCluster) {
  api.advance(LIMIT_S)
  return [...api.left('jobs'), ...api.left('pods').filter((pod) => namespaceOf(pod) === 'netctl')]
}

/** What a snapshot that loads says is missing; undefined if there is none. */
const missingOf = async (out: string): Promise<readonly string[] | undefined> =>
  existsSync(out) ? (await openSnapshot(out)).header.missing : undefined

/** Spread over the run, and not evenly. */
const moments = (seed: number, many: number): readonly number[] =>
  Array.from({ length: many }, (_, i) => 1 + Math.floor(((i + ((seed * 7 + i * 13) % 10) / 10) * MOMENTS) / many))

describe.concurrent('ended at a moment', () => {
  test.each(moments(1, 8))('killed at %d', (moment) =>
    collect(
      moment,
      (_, kill) => kill(),
      async ({ api, folder, out }) => {
        await expect.poll(() => readdirSync(folder)).toEqual(existsSync(out) ? ['snapshot.tar.gz'] : [])
        expect(leftAfterLimit(api)).toEqual([])
      },
    ),
  )

  test.each(moments(2, 6))('the API server gone at %d', (moment) =>
    collect(
      moment,
      (api) => api.cut(),
      async ({ exitCode, stderr, api, folder, out }) => {
        const missing = await missingOf(out)
        // only the end of what was read already can be left to do
        if (exitCode !== 0) {
          expect(exitCode, stderr).toBe(3)
          expect(missing?.join() ?? stderr).toMatch(/can't be reached|was cut|no connection/)
        }
        expect(readdirSync(folder)).toEqual(missing === undefined ? [] : ['snapshot.tar.gz'])
        expect(leftAfterLimit(api)).toEqual([])
      },
    ),
  )

  const [, lost = ''] = fleet.nodes
  test.each(moments(3, 6))('a node gone at %d', (moment) =>
    collect(
      moment,
      (api) => api.nodeGone(lost),
      async ({ exitCode, stderr, api, out }) => {
        const missing = await missingOf(out)
        // it may have been read already
        expect([0, 3], stderr).toContain(exitCode)
        expect(missing?.some((what) => what.includes(lost))).toBe(exitCode === 3)
        leftAfterLimit(api)
        api.nodeBack(lost)
        expect(leftAfterLimit(api)).toEqual([])
      },
    ),
  )

  test('the moments lie in a whole run', () =>
    collect(
      Number.POSITIVE_INFINITY,
      () => undefined,
      async ({ exitCode, count }) => {
        expect(exitCode).toBe(0)
        expect(count).toBeGreaterThan(MOMENTS)
      },
    ))
})
