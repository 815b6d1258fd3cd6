/** A fake cluster of 200 nodes, 10,000 Services and 10,000 pods: prints its kubeconfig, and serves until it is ended. */
import { fakeCluster } from '../../test/support/fake-cluster.ts'
import { makeFleet } from '../../test/support/fleet.ts'

const fleet = makeFleet({ nodes: 200, services: 10_000, podsPerNode: 50 })
const [first = ''] = fleet.nodes
// the large dump is made before anybody counts
fleet.stream(first)
const { kubeconfig } = await fakeCluster({
  objects: [...fleet.objects, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'netctl' } }],
  exec: ({ node }) => ({ kind: 'stream', pieces: fleet.stream(node) }),
})
console.log(kubeconfig)
