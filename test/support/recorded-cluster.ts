/** A recorded cluster behind a fake API server: its objects are listed, and exec into its agents gives what the collector would print on their nodes. */
import type { Json } from '../../src/cluster/items.ts'
import type { ExecAt } from './fake-cluster/exec.ts'
import { itemsOfList } from './fake-cluster/objects.ts'
import { type FakeCluster, type FakeSetup, fakeCluster } from './fake-cluster.ts'
import { type Recorded, recorded } from './recorded-reading.ts'

export interface RecordedCluster extends FakeCluster, Pick<Recorded, 'files'> {
  /** `n1: shop/web-1`: nodes that were read, with the pods that were wanted */
  readonly reads: readonly string[]
}

/** `agents`: has each node a kube-proxy pod? */
export async function recordedCluster(folder: string, setup: FakeSetup & { readonly agents?: boolean } = {}): Promise<RecordedCluster> {
  const { files } = recorded(folder, { outside: false })
  const lists = [...files].flatMap(([name, text]) => (/^cluster\/[^/]+\.json$/.test(name) ? [JSON.parse(text.toString()) as Json] : []))
  const objects = lists.flatMap(itemsOfList)
  const nodes = objects.filter(({ kind }) => kind === 'Node').map(({ metadata }) => (metadata as { name: string }).name)
  const reads: string[] = []
  const api = await fakeCluster({
    exec: ({ node, argv }: ExecAt) => {
      const pods = argv.slice(argv.indexOf('--') + 4)
      reads.push(`${node}: ${pods.join(' ').replaceAll('_', '/')}`)
      return { kind: 'stream', pieces: [streamOf(files, node, new Set(pods))] }
    },
    ...setup,
    objects: [...objects, ...(setup.agents === false ? [] : nodes.map(agentOn)), ...(setup.objects ?? [])],
  })
  return { ...api, files, reads }
}

const agentOn = (node: string): Json => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `kube-proxy-${node}`, namespace: 'kube-system', labels: { 'k8s-app': 'kube-proxy' } },
  spec: { nodeName: node, hostNetwork: true, containers: [{ name: 'kube-proxy' }] },
  status: { phase: 'Running', containerStatuses: [{ name: 'kube-proxy', state: { running: {} } }] },
})

/** What the collector (bin/node) would print. */
function streamOf(files: ReadonlyMap<string, Buffer>, node: string, pods: ReadonlySet<string>): Buffer {
  const pieces: Buffer[] = [Buffer.from(`netctl-collect 1\nnode ${node}\n`)]
  for (const [name, bytes] of files) {
    const [top, folder = '', file = ''] = name.split('/')
    const own = (top === 'nodes' && folder === node) || (top === 'pods' && pods.has(folder))
    if (!own || !/^[A-Za-z0-9_-]+\.(?:txt|json)$/.test(file)) continue
    pieces.push(Buffer.from(`file ${top === 'nodes' ? 'node' : `pods/${folder}`}/${file} ${bytes.length}\n`), bytes, Buffer.from('\n'))
  }
  return Buffer.concat([...pieces, Buffer.from('end\n')])
}
