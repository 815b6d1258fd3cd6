import { expect, test } from 'vitest'
import { RESOURCES } from '../../../src/cluster/manifest/kinds.ts'
import { nodeJob } from '../../../src/kube/node-job.ts'
import { clusterFiles } from '../../../src/snapshot/collect/objects.ts'

test("the pods by which nodes are read are not the cluster's", () => {
  const job = nodeJob({ run: 'x', name: 'netctl-x-0', namespace: 'netctl', node: 'n1', image: 'busybox', seconds: 9 })
  const { labels } = (job.spec as { template: { metadata: { labels: object } } }).template.metadata
  const pod = (name: string, labels?: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'netctl', labels } })
  const resource = RESOURCES.find((r) => r.kind === 'Pod')
  if (resource === undefined) throw new Error('pods are listed')
  const values = [pod('web', { 'app.kubernetes.io/managed-by': 'netctl' }), pod('netctl-x-0-abcde', labels), pod('api')]
  const [file] = [...clusterFiles({ lists: [{ resource, values }], warnings: [], refused: [], failed: [] }).files]
  expect(file?.[0]).toBe('cluster/pods.json')
  expect(JSON.parse(file?.[1] ?? '').items.map((p: { metadata: { name: string } }) => p.metadata.name)).toEqual(['web', 'api'])
})
