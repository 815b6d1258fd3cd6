import { endpointChoices, portChoices } from '../../cluster/choices.ts'
import { type Choice, type Inventory, ResolveError } from '../../cluster/inventory.ts'
import type { ResolveOptions } from '../../cluster/resolve.ts'
import { resolveFlow } from '../../cluster/resolve-flow.ts'
import { ExitCode, NetctlError } from '../../error.ts'
import { parseIp } from '../../net/ip.ts'
import { headerBytes } from '../../net/packet.ts'
import { inventoryOf } from '../../snapshot/names.ts'
import type { Snapshot } from '../../snapshot/types.ts'
import type { ConnectionState, Flow } from '../../trace/types.ts'
import type { Around } from '../around.ts'
import { expectConnection, stated } from '../connection.ts'
import type { LiveCluster } from '../live-cluster.ts'
import { type NamespaceFlags, resolveNamespace } from '../namespace.ts'
import { equalCommand, pick } from '../pickers.ts'
import { shellLine } from '../shell-words.ts'
import type { Terminal } from '../terminal.ts'
import { type ClusterFlags, type Covering, covering, type WhichCluster, whichCluster } from '../which-cluster.ts'
import { type WhatIfFlags, whatIfWords } from './what-if.ts'

/** What the command line says of a flow. */
export interface FlowWords {
  readonly command: 'trace' | 'compare'
  readonly src: string | undefined
  readonly dst: string | undefined
  readonly flags: ClusterFlags &
    NamespaceFlags &
    WhatIfFlags &
    Covering & {
      readonly family?: string | undefined
      readonly source?: string | undefined
      readonly 'source-port'?: number | undefined
      readonly size?: number | undefined
      readonly 'entry-node'?: string | undefined
      readonly state?: ConnectionState | undefined
    }
}

export interface WhichFlow {
  readonly snapshot: Snapshot
  readonly flow: Flow
  /** the flags that a suggested command needs to ask about the same flow */
  readonly again: string
  /** the command that keeps what was read live */
  readonly keep?: string
  /** where it is read live: by its `way` to nodes; left open with `keepWay` */
  readonly live?: LiveCluster
}

/** The flow that the words name, and the cluster as far as it needs it. Whatever is missing is asked for on a terminal, and is an error elsewhere. */
export async function whichFlow(words: FlowWords, around: Around): Promise<WhichFlow> {
  const { flags } = words
  const { terminal, tell } = around
  if (!terminal.canPrompt && (words.src === undefined || words.dst === undefined)) {
    throw new NetctlError({
      code: 'USE007',
      message: `${words.src === undefined ? 'SRC and DST are' : 'DST is'} missing`,
      try: `netctl ${words.command} SRC DST, for instance pod/shop/web-1 svc/shop/api:80`,
    })
  }
  const cluster = await whichCluster(flags, around)
  const inventory = inventoryOf(cluster.snapshot)
  const options: ResolveOptions = {
    namespace: flags.namespace ?? cluster.live?.namespace ?? (await resolveNamespace(flags)),
    ...(flags.family !== undefined && { family: flags.family === '6' ? 6 : 4 }),
  }
  const source = words.src ?? (await pick('From', endpointChoices(inventory).sources))
  const named = words.dst ?? (await pick('To', endpointChoices(inventory).destinations))
  const destination = await withPort(inventory, named, options, terminal)
  const { flow, notes } = knowing(cluster, () => resolveFlow(inventory, source, destination, options))
  const again = [...cluster.again, ...rest(cluster.live ? { ...flags, context: undefined, kubeconfig: undefined } : flags)]
  const whole = stated({ ...flow, ...narrowed(cluster, flow, flags), ...sized(flow, flags.size) }, flags.state)
  // what is asked for on a terminal can be asked again without; a running cluster goes without saying
  const asked = (cluster.unnamed && !cluster.live) || words.src === undefined || destination !== words.dst
  if (!flags.quiet) {
    for (const note of notes) tell(note)
    if (asked) tell(equalCommand([words.command, source, destination, ...again]))
  }
  const snapshot = await covering(cluster, [whole], flags, around)
  // another conntrack.txt may be supposed, which has it
  if (flags.replace === undefined) expectConnection(snapshot, whole)
  const { live } = cluster
  return { snapshot, flow: whole, again: shellLine(again), ...(live && { live, keep: shellLine(live.keep()) }) }
}

/** A name that can't be resolved because the objects may not be listed says so: the rights lack, not the object. */
function knowing<T>({ live }: WhichCluster, resolve: () => T): T {
  try {
    return resolve()
  } catch (error) {
    const refused = live?.objects.missing ?? []
    if (!(error instanceof ResolveError) || error.problem !== 'missing' || refused.length === 0) throw error
    throw new NetctlError({
      code: 'KUB006',
      message: `${error.message}, or it may not be listed`,
      have: refused,
      try: 'another --context, or have the rights granted',
      exitCode: ExitCode.unknown,
    })
  }
}

async function withPort(inventory: Inventory, destination: string, options: ResolveOptions, terminal: Terminal): Promise<string> {
  if (!terminal.canPrompt) return destination
  const ports: readonly Choice[] = portChoices(inventory, destination, options)
  return ports.length > 0 ? pick('Port', ports) : destination
}

/** The flags that the equal command line repeats. */
function rest(flags: FlowWords['flags']): string[] {
  const words: string[] = []
  for (const name of ['namespace', 'context', 'kubeconfig', 'family', 'source', 'source-port', 'size', 'entry-node', 'state'] as const) {
    const value = flags[name]
    if (value !== undefined) words.push(`--${name}`, String(value))
  }
  return [...words, ...whatIfWords(flags)]
}

function narrowed({ snapshot, live }: WhichCluster, { from, label }: Flow, flags: FlowWords['flags']): Partial<Flow> {
  const { source } = flags
  const node = flags['entry-node']
  if (source !== undefined && !parseIp(source))
    throw new NetctlError({ code: 'USE008', message: `--source ${source} is no address`, try: '--source 172.18.0.11' })
  const known = live ? snapshot.cluster.nodes : [...snapshot.hosts.values()].filter((h) => h.kind === 'node')
  if (node !== undefined && !known.some(({ name }) => name === node)) {
    const nodes = known.slice(0, 8).map(({ name }) => `--entry-node ${name}`)
    throw new NetctlError({
      code: 'USE008',
      message: `--entry-node ${node}: ${live ? 'the cluster has no such node' : 'the snapshot has no dumps of such a node'}`,
      try: nodes.join(', or '),
    })
  }
  if (node !== undefined && (from.kind !== 'external' || snapshot.hosts.has(`external/${from.name}`))) {
    throw new NetctlError({
      code: 'USE008',
      message: `--entry-node says where an outside client without dumps comes in; ${label?.from ?? 'SRC'} has its own way`,
      try: 'leave --entry-node out',
    })
  }
  return {
    ...(source !== undefined && { source }),
    ...(flags['source-port'] !== undefined && { sourcePort: flags['source-port'] }),
    ...(node !== undefined && { entryNode: node }),
  }
}

/** A packet of that size has so many bytes of data. */
function sized({ dst, proto }: Pick<Flow, 'dst' | 'proto'>, size: number | undefined): Pick<Flow, 'payload'> {
  if (size === undefined) return {}
  const headers = headerBytes(parseIp(dst)?.family ?? 4, proto)
  if (size < headers) {
    const message = `--size ${size}: the headers alone take ${headers} bytes (${proto}, ${dst})`
    throw new NetctlError({ code: 'USE008', message, try: `--size ${headers} at least, 1500 for instance` })
  }
  return { payload: size - headers }
}

/** SRC and DST have no place beside `--flows`. */
export function noFlowBeside(args: { readonly src?: string | undefined; readonly dst?: string | undefined }): void {
  if (args.src === undefined && args.dst === undefined) return
  throw new NetctlError({
    code: 'USE009',
    message: '--flows walks the flows of its file: SRC and DST are not for it',
    try: 'leave them out, or leave --flows out',
  })
}
