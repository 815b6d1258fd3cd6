/** A recorded cluster that is read like a running one: its objects first, then nodes and pods as they are asked for. */
import type { Piece, Reading, Wanted } from '../../src/live/piece.ts'
import { loadSnapshot } from '../../src/snapshot/load.ts'
import { memoryFiles } from '../../src/system/files-memory.ts'
import { filesOf } from '../snapshot/damage.ts'

export interface Recorded {
  /** everything that the recording has, with its listeners as socket tables */
  readonly files: ReadonlyMap<string, Buffer>
  reading(refuse?: (node: string) => string | undefined): Reading & { readonly asked: readonly (readonly Wanted[])[] }
}

/** The listeners that its snapshot.json assumes become dumps, since what is read live assumes nothing. `outside`: with the hosts of the underlay. */
export function recorded(folder: string, { outside = true } = {}): Recorded {
  const files = new Map(
    [...filesOf(folder)].filter(
      ([name]) => !/^(?:after-probing|truth|meta|fault)/.test(name) && (outside || !name.startsWith('external/')),
    ),
  )
  const { header, cluster, hosts } = loadSnapshot(memoryFiles('recorded', files))
  for (const { id, kind, dir, name } of hosts.values()) {
    const said = header.assume.listeners[id] ?? header.assume.listeners[`${kind}/*`]
    if (said === undefined || files.has(`${dir}/sockets.txt`)) continue
    const pod = cluster.pods.find((p) => `${p.namespace}/${p.name}` === name)
    const ports = said === 'containerPorts' ? (pod?.ports ?? []).map((p) => `${p.protocol}/${p.port}`) : said
    files.set(`${dir}/sockets.txt`, Buffer.from(ports.map(socketLine).join('')))
  }
  files.delete('snapshot.json')
  const homes = new Map(cluster.pods.map((p) => [`pods/${p.namespace}_${p.name}`, p.node]))
  const part = (of: (name: string) => boolean, pods: readonly string[] = []): Piece => ({
    takenAt: Date.now(),
    endedAt: Date.now(),
    files: new Map([...files].filter(([name]) => of(name))),
    missing: [],
    pods,
    whole: true,
  })
  return {
    files,
    reading(refuse = () => undefined) {
      const asked: (readonly Wanted[])[] = []
      return {
        asked,
        objects: async () => part((name) => name.startsWith('cluster/') || name.startsWith('external/')),
        async nodes(wanted) {
          asked.push(wanted)
          return new Map(
            wanted.map(({ node, pods }) => {
              const folders = new Set(pods.map((pod) => `pods/${pod.replace('/', '_')}`).filter((dir) => homes.get(dir) === node))
              folders.add(`nodes/${node}`)
              return [node, refuse(node) ?? { ...part((name) => folders.has(name.split('/', 2).join('/')), pods), by: 'exec' }]
            }),
          )
        },
      }
    },
  }
}

const socketLine = (said: string): string => {
  const [proto, port] = said.split('/')
  return `${proto} ${proto === 'tcp' ? 'LISTEN' : 'UNCONN'} 0 0 *:${port} *:*\n`
}
