/** Reads what `netctl collect` reads and forgets it: the pages of all lists, and one stream of each node, sixteen at a time. */
import { readFileSync } from 'node:fs'
import { arr, rec, str } from '../../src/cluster/items.ts'
import { SNAPSHOT_RESOURCES } from '../../src/snapshot/collect/objects.ts'

const [, server = ''] = /server: "([^"]+)"/.exec(readFileSync(process.argv[2] ?? '', 'utf8')) ?? []

async function pages(path: string): Promise<readonly unknown[]> {
  const items: unknown[] = []
  for (let next = ''; ; ) {
    const answer = await fetch(`${server}${path}?limit=500${next && `&continue=${encodeURIComponent(next)}`}`)
    if (!answer.ok) return items
    const list = rec(await answer.json())
    items.push(...arr(list.items))
    next = str(rec(list.metadata).continue) ?? ''
    if (!next) return items
  }
}

const lists = await Promise.all(
  SNAPSHOT_RESOURCES.map(({ group, version, plural }) => pages(`${group === '' ? '/api' : `/apis/${group}`}/${version}/${plural}`)),
)
const agents = lists.flat().filter((one) => rec(rec(rec(one).metadata).labels)['k8s-app'] === 'kube-proxy')

async function stream(pod: unknown): Promise<void> {
  const { namespace, name } = rec(rec(pod).metadata)
  const socket = new WebSocket(
    `${server.replace('http', 'ws')}/api/v1/namespaces/${namespace}/pods/${name}/exec?container=kube-proxy&command=sh&stdout=true`,
    'v5.channel.k8s.io',
  )
  socket.binaryType = 'arraybuffer'
  await new Promise((done) => socket.addEventListener('close', done))
}
const queue = [...agents]
await Promise.all(
  Array.from({ length: 16 }, async () => {
    for (let next = queue.pop(); next; next = queue.pop()) await stream(next)
  }),
)
