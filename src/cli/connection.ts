import { NetctlError } from '../error.ts'
import { parseIp } from '../net/ip.ts'
import type { Snapshot } from '../snapshot/types.ts'
import { findConnections } from '../trace/conntrack/dumped-connections.ts'
import type { ConnectionState, Flow } from '../trace/types.ts'
import { worldOf } from '../trace/world.ts'

/** A flow in the state that was asked for; `new` goes without saying. */
export function stated({ state: _, ...flow }: Flow, state: ConnectionState | undefined): Flow {
  return state === undefined || state === 'new' ? flow : { ...flow, state }
}

/** `--state from-dump` is about an entry that is there. */
export function expectConnection(snapshot: Snapshot, flow: Flow): void {
  const dst = parseIp(flow.dst)
  if (flow.state !== 'from-dump' || !dst) return
  const search = findConnections(worldOf(snapshot), flow, dst)
  if (search.kind !== 'none') return
  const { label, from, proto, port, sourcePort } = flow
  const ports = [...new Set(search.others.flatMap((e) => e.original.sport?.lo ?? []))]
  const shown = ports.slice(0, 5).map((p) => `--source-port ${p}`)
  const rest = ports.length > shown.length ? `, or another of ${ports.length}` : ''
  throw new NetctlError({
    code: 'CTK001',
    message: `${search.files.join(', ')}: no entry of ${label?.from ?? from.name} to ${flow.dst}${port === undefined ? '' : ` port ${port}`}/${proto}${sourcePort === undefined ? '' : ` from port ${sourcePort}`}`,
    try: shown.length > 0 ? `${shown.join(', or ')}${rest}` : '--state established, as if there were one, or --state new',
  })
}
