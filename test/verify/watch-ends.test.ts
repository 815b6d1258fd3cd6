/** However a watch ends, nothing of it is left on the node. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { watchScript } from '../../src/verify/scripts.ts'
import type { WatchOrder } from '../../src/verify/types.ts'
import { needs } from '../support/needs.ts'
import { sh } from '../support/netns-lab.ts'
import { texts } from '../support/node-scripts.ts'
import { leftIn, probeFrom, processesOf, randomId, startScript, watchIn, without } from '../support/watched-node.ts'

const what: Omit<WatchOrder, 'id'> = {
  spaces: ['node'],
  tuples: [
    { proto: 'tcp', src: '127.0.0.1', dst: '127.0.0.1', dport: 9 },
    { proto: 'udp', src: '::1', dst: '::1', sport: 40000, dport: 9 },
  ],
  seconds: 20,
}
const order = (seconds = 20): WatchOrder => ({ id: randomId(), ...what, seconds })
describe.runIf(needs('root', 'ip', 'nft', 'conntrack', 'perl', 'unshare', 'bash', 'dash', 'busybox'))(
  'a watch ends',
  { timeout: 300_000 },
  () => {
    const ns = `netctl-${process.pid}-ends`
    let tools: string
    beforeAll(async () => {
      await sh(`ip netns add ${ns}; ip -n ${ns} link set lo up`)
      // as before kernel 5.12, or without a prompt
      tools = mkdtempSync(join(tmpdir(), 'netctl-tools-'))
      const nft = (await sh('command -v nft')).trim()
      writeFileSync(join(tools, 'nft'), `#!/bin/sh\ncase $1 in -i) echo 'Error: no'; exit 1 ;; esac\nexec ${nft} "$@"\n`)
      chmodSync(join(tools, 'nft'), 0o755)
    })
    afterAll(async () => {
      rmSync(tools, { recursive: true })
      await sh(`ip netns del ${ns}`)
    })

    /** every process at once, as when a container is ended */
    const killAll = (folder: string) => {
      for (let pids = processesOf(folder); pids.length > 0; pids = processesOf(folder))
        for (const pid of pids) {
          try {
            process.kill(pid, 'SIGKILL')
          } catch {
            // it was faster
          }
        }
    }
    const orphaned = () => ['env', `PATH=${tools}:${process.env.PATH}`]

    test('when its time is up, by itself', async () => {
      const watch = await watchIn(ns, { ...what, seconds: 2 })
      expect(await watch.end()).toMatchObject({ disarmed: true, missing: [] })
      expect(await leftIn(ns, watch.folder)).toEqual([])
    })

    test.each(['SIGHUP', 'SIGINT', 'SIGTERM'] as const)('%s: in order', async (signal) => {
      const watch = await watchIn(ns, { ...what, seconds: 200 })
      watch.child.kill(signal)
      const start = Date.now()
      expect(await watch.end()).toMatchObject({ disarmed: true })
      expect(Date.now() - start).toBeLessThan(150_000)
      expect(await leftIn(ns, watch.folder)).toEqual([])
    })

    test('when nobody hears it any more', async () => {
      const watch = await watchIn(ns, what)
      watch.child.stdout?.destroy()
      expect(await leftIn(ns, watch.folder)).toEqual([])
    })

    test.each([['dash'], ['busybox', 'ash'], ['bash']])('when its input ends that was open, %s', async (...shell) => {
      const watch = await watchIn(ns, what, { shell, open: true })
      await sleep(2500)
      expect(watch.seen()).toMatchObject({ armed: true, disarmed: false })
      watch.child.stdin?.end()
      expect(await watch.end()).toMatchObject({ disarmed: true })
      expect(await leftIn(ns, watch.folder)).toEqual([])
    })

    test('when its time is up, by itself, with its input open', async () => {
      const watch = await watchIn(ns, { ...what, seconds: 2 }, { open: true })
      expect(await watch.end()).toMatchObject({ disarmed: true, missing: [] })
      expect(await leftIn(ns, watch.folder)).toEqual([])
    })

    test.each([['dash'], ['busybox', 'ash']])('%s killed at 20 moments', async (...shell) => {
      const runs = await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const run = startScript(ns, watchScript(order(), texts), { shell })
          await sleep(i * 75)
          run.child.kill('SIGKILL')
          await run.ended
          return run.folder
        }),
      )
      const left = await Promise.all(runs.map((folder) => leftIn(ns, folder)))
      expect(left.flat()).toEqual([])
    })

    test('all of its processes killed at 20 moments: the kernel takes the table away', async () => {
      await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const run = startScript(ns, watchScript(order(), texts), {})
          await sleep(i * 75)
          killAll(run.folder)
          await run.ended
          rmSync(run.folder, { recursive: true })
        }),
      )
      expect(await sh('nft list tables', ns)).toBe('')
    })

    describe('where tables have no owner', () => {
      test('in order', async () => {
        const watch = await watchIn(ns, { ...what, seconds: 2 }, { around: orphaned() })
        expect(await sh('nft list tables', ns)).toContain('netctl_verify')
        expect(await watch.end()).toMatchObject({ disarmed: true, missing: [] })
        expect(await leftIn(ns, watch.folder)).toEqual([])
      })

      test('killed: what waits for that deletes it', async () => {
        const watch = await watchIn(ns, what, { around: orphaned() })
        watch.child.kill('SIGKILL')
        expect(await leftIn(ns, watch.folder)).toEqual([])
      })

      test('all killed: it watches nothing more after its time, and the next one deletes it', async () => {
        const watch = await watchIn(ns, { ...what, seconds: 1 }, { around: orphaned() })
        killAll(watch.folder)
        rmSync(watch.folder, { recursive: true })
        const alive = await watchIn(ns, { ...what, seconds: 1 })
        expect(await sh('nft list tables', ns)).toContain(watch.order.id)
        await alive.end()
        rmSync(alive.folder, { recursive: true })
        await sleep(7000)
        expect(await sh(`nft list table inet netctl_verify_${watch.order.id}`, ns)).not.toContain('expires')
        const next = await watchIn(ns, { ...what, seconds: 1 })
        expect(await sh('nft list tables', ns)).not.toContain(watch.order.id)
        await next.end()
        expect(await leftIn(ns, next.folder)).toEqual([])
      })
    })

    test('what lacks is said: conntrack', async () => {
      const watch = await watchIn(ns, { ...what, seconds: 1 }, { around: without('conntrack', 'timeout', 'stdbuf') })
      expect((await watch.end()).missing).toEqual(['node: there is no conntrack, so translations are seen by headers only'])
      expect(await leftIn(ns, watch.folder)).toEqual([])
    })

    test('what lacks is said: nft', async () => {
      const run = startScript(ns, watchScript(order(), texts), { around: without('nft') })
      await run.ended
      expect(run.output().toString()).toBe('netctl-watch 1\nnote node: there is no nft, so no packet can be watched\ndisarmed\nend\n')
      expect(await leftIn(ns, run.folder)).toEqual([])
    })

    test('perl of the image by whose pod the script came, where the node has none', async () => {
      const probe = { id: 'a', space: 'node', proto: 'tcp', dst: '127.0.0.1', sport: 40000, dport: 9, patienceMs: 500 } as const
      // this process stands for the pod: its root has what is hidden from the script
      const around = [...without('perl', 'python3'), 'env', `TMPDIR=/proc/${process.pid}/root/tmp`]
      expect((await probeFrom(ns, [probe], { around }))[0]?.answer).toMatchObject({ kind: 'refused' })
    })

    test('what lacks is said: perl and python3; a pod that is not there', async () => {
      const probe = { id: 'a', space: 'node', proto: 'tcp', dst: '127.0.0.1', sport: 40000, dport: 9, patienceMs: 500 } as const
      expect((await probeFrom(ns, [probe], { around: without('perl', 'python3') }))[0]?.answer).toMatchObject({
        kind: 'failed',
        reason: 'there is neither perl nor python3 to send it with: a --pod-image that has one brings it, and --catch needs none',
      })
      const gone = { ...probe, space: { namespace: 'shop', name: 'gone' } }
      expect((await probeFrom(ns, [gone]))[0]?.answer).toMatchObject({ kind: 'failed', reason: 'pod shop_gone no process of it is here' })
    })

    test('nothing is kept in anybody’s home', () => {
      expect(() => readFileSync('/root/.nft.history')).toThrow()
    })
  },
)
