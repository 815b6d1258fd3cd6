import { expect, test } from 'vitest'
import { traceFlow } from '../../src/trace/trace.ts'
import { addresses } from '../support/netns-lab.ts'
import { make } from '../support/snapshot-builder.ts'

const waiting = (name: string, nodeName?: string) => ({
  metadata: { name, namespace: 't' },
  spec: { ...(nodeName && { nodeName }), containers: [{}] },
  status: { phase: 'Pending' },
})
const snapshot = make({
  files: {
    'cluster/pods.json': JSON.stringify({ apiVersion: 'v1', kind: 'PodList', items: [waiting('placed', 'n1'), waiting('unplaced')] }),
  },
})

test.each([
  ['placed', 'pod/t/placed has no address yet: it sends nothing'],
  ['unplaced', 'pod/t/unplaced is on no node yet: it sends nothing'],
])('a pod that waits (%s) sends nothing, so nothing is said of its packets', (name, reason) => {
  const [dst = ''] = addresses.p2 as readonly [string, string]
  const { outcomes } = traceFlow(snapshot, { from: { kind: 'pod', name: `t/${name}` }, proto: 'tcp', dst, port: 80 })
  expect(outcomes).toMatchObject([{ verdict: 'undecided', probability: 1, reason }])
})
