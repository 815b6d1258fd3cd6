/** Lines of the cluster's objects that prove who gave out an address. */

import { formatPrefix } from '../../net/ip.ts'
import type { Snapshot } from '../../snapshot/types.ts'
import type { Evidence } from '../types.ts'
import type { PodAddress } from './addresses.ts'

const caches = new WeakMap<Snapshot, Map<string, readonly Evidence[]>>()

/** The allocation in its IPAM block, and the pool's CIDR. Looked up once for each address of a snapshot: finding lines costs a scan of the file. */
export function addressEvidence(a: PodAddress, snapshot: Snapshot): readonly Evidence[] {
  let cache = caches.get(snapshot)
  if (!cache) caches.set(snapshot, (cache = new Map()))
  const known = cache.get(a.ip)
  if (known) return known
  const out: Evidence[] = []
  const given = a.block?.allocations.get(a.ip)
  if (a.block && given) out.push(at(snapshot, a.block.source.file, given.line))
  if (a.pool) {
    const { file, line } = a.pool.source
    out.push(at(snapshot, file, lineWith(snapshot, file, line, `"${formatPrefix(a.pool.cidr)}"`)))
  }
  cache.set(a.ip, out)
  return out
}

const at = (snapshot: Snapshot, file: string, line: number): Evidence => ({ file, line, text: snapshot.line(file, line) })

/** How far into an object its fields are looked for; `kubectl get -o json` prints a field a line. */
const reach = 200

/** First line from `line` on that holds `text`; `line` itself if none does. */
function lineWith(snapshot: Snapshot, file: string, line: number, text: string): number {
  for (let n = line; n < line + reach; n++) if (snapshot.line(file, n).includes(text)) return n
  return line
}
