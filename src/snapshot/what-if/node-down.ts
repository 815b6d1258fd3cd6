/** `--node-down NODE`: the node is off, and its pods with it. The tables of the others stay as they are. */
import { NetctlError } from '../../error.ts'
import { nearest } from '../../nearest.ts'
import type { Changed, Snapshot } from '../types.ts'

/** The snapshot without node `said` (`n2` or `node/n2`). @throws NetctlError if there is no such node */
export function withNodeDown(snapshot: Snapshot, said: string): Changed {
  const name = said.replace(/^node\//, '')
  const nodes = new Set([
    ...[...snapshot.hosts.values()].filter((h) => h.kind === 'node').map((h) => h.name),
    ...snapshot.cluster.nodes.map((n) => n.name),
  ])
  if (!nodes.has(name)) {
    const near = nearest(name, nodes)
    throw new NetctlError({
      code: 'WHF001',
      message: `--node-down ${said}: the snapshot has no such node`,
      try: (near.length > 0 ? near : [...nodes].slice(0, 8)).join(', '),
    })
  }
  return {
    snapshot: { ...snapshot, down: new Set([...(snapshot.down ?? []), `node/${name}`]) },
    changes: [{ kind: 'node-down', node: name, what: `${name} is down` }],
  }
}
