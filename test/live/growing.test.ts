/** A cluster that is read as a flow needs it answers as the whole recording of it does, and no more of it is read than that takes. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openGrowing } from '../../src/live/growing.ts'
import { loadSnapshot } from '../../src/snapshot/load.ts'
import { memoryFiles } from '../../src/system/files-memory.ts'
import { traceFlow } from '../../src/trace/trace.ts'
import { captureNames, captures } from '../support/captures.ts'
import { needs } from '../support/needs.ts'
import { flowOf, truthOf } from '../support/predict.ts'
import { recorded } from '../support/recorded-reading.ts'

const EVERY = Number(process.env.NETCTL_EVERY ?? 0)

describe.runIf(needs('captures')).each(needs('captures') ? captureNames().filter((n) => !n.startsWith('scale')) : [])('%s', (name) => {
  test.each([true, false])(
    'the answer is that of the whole cluster; hosts outside it are known: %s',
    { timeout: 120_000 },
    async (outside) => {
      const folder = join(captures, name)
      const { files, reading } = recorded(folder, { outside })
      const whole = loadSnapshot(memoryFiles('c', files))
      const flows = truthOf(folder).map(flowOf)
      const step = EVERY || Math.ceil(flows.length / 16)
      for (const flow of flows.filter((_, i) => i % step === 0)) {
        const source = reading()
        const live = await openGrowing('c', '1', source)
        const snapshot = await live.cover([flow])
        const asked = JSON.stringify({ flow, asked: source.asked })
        expect(traceFlow(snapshot, flow), asked).toEqual(traceFlow(whole, flow))
      }
    },
  )
})
