import { join } from 'node:path'
import { endpointChoices, portChoices } from '../cluster/choices.ts'
import type { Choice, Inventory } from '../cluster/inventory.ts'
import type { ResolveOptions } from '../cluster/resolve.ts'
import { resolveFlow } from '../cluster/resolve-flow.ts'
import { NetctlError } from '../error.ts'
import { parseIp } from '../net/ip.ts'
import { headerBytes } from '../net/packet.ts'
import { inventoryOf } from '../snapshot/names.ts'
import { openSnapshot } from '../snapshot/open.ts'
import type { Snapshot } from '../snapshot/types.ts'
import type { ConnectionState, Flow } from '../trace/types.ts'
import { bounded } from './bounded.ts'
import { expectConnection, stated } from './connection.ts'
import { type NamespaceFlags, resolveNamespace } from './namespace.ts'
import { equalCommand, pick, pickSnapshot } from './pickers.ts'
import { shellLine } from './shell-words.ts'
import type { Terminal } from './terminal.ts'
import { type WhatIfFlags, whatIfWords } from './what-if.ts'

/** What the command line says of a flow. */
export interface FlowWords {
  readonly command: 'trace' | 'compare'
  readonly source: string | undefined
  readonly destination: string | undefined
  readonly flags: NamespaceFlags &
    WhatIfFlags & {
      readonly snapshot?: string | undefined
      readonly family?: string | undefined
      readonly source?: string | undefined
      readonly 'source-port'?: number | undefined
      readonly size?: number | undefined
      readonly 'entry-node'?: string | undefined
      readonly state?: ConnectionState | undefined
      readonly timeout?: number | undefined
    }
}

export interface WhichFlow {
  readonly snapshot: Snapshot
  readonly flow: Flow
  /** what was chosen on the user's behalf, and the command line that asks the same, to be told on stderr */
  readonly notes: readonly string[]
  /** the flags that a suggested command needs to ask about the same flow */
  readonly again: string
}

/** The snapshot at `--snapshot`, read within `--timeout`; on a terminal one is picked if the flag is missing. */
export async function whichSnapshot(
  { snapshot: path, timeout }: Pick<FlowWords['flags'], 'snapshot' | 'timeout'>,
  terminal: Terminal,
  root: string,
): Promise<{ readonly snapshot: Snapshot; readonly path: string }> {
  if (path === undefined && !terminal.canPrompt) {
    throw new NetctlError({
      code: 'USE006',
      message: 'which cluster? no snapshot was named',
      try: '--snapshot PATH, a folder or .tar.gz of dumps; examples/shop came with netctl',
    })
  }
  const chosen = path ?? (await pickSnapshot(process.cwd(), join(root, 'examples')))
  return { snapshot: await openSnapshot(chosen, (load) => bounded('reading the snapshot', timeout, load)), path: chosen }
}

/** The flow that the words name. Whatever is missing is asked for on a terminal, and is an error elsewhere. */
export async function whichFlow(words: FlowWords, terminal: Terminal, root: string): Promise<WhichFlow> {
  const { flags } = words
  if (!terminal.canPrompt && (words.source === undefined || words.destination === undefined)) {
    throw new NetctlError({
      code: 'USE007',
      message: `${words.source === undefined ? 'SRC and DST are' : 'DST is'} missing`,
      try: `netctl ${words.command} SRC DST --snapshot PATH, for instance pod/shop/web-1 svc/shop/api:80`,
    })
  }
  const { snapshot, path } = await whichSnapshot(flags, terminal, root)
  const inventory = inventoryOf(snapshot)
  const options: ResolveOptions = {
    namespace: await resolveNamespace(flags),
    ...(flags.family !== undefined && { family: flags.family === '6' ? 6 : 4 }),
  }
  const source = words.source ?? (await pick('From', endpointChoices(inventory).sources))
  const named = words.destination ?? (await pick('To', endpointChoices(inventory).destinations))
  const destination = await withPort(inventory, named, options, terminal)
  const { flow, notes } = resolveFlow(inventory, source, destination, options)
  const asked = flags.snapshot === undefined || words.source === undefined || destination !== words.destination
  const again = ['--snapshot', path, ...rest(flags)]
  const same = equalCommand([words.command, source, destination, ...again])
  const whole = stated({ ...flow, ...narrowed(snapshot, flow, flags), ...sized(flow, flags.size) }, flags.state)
  // another conntrack.txt may be supposed, which has it
  if (flags.replace === undefined) expectConnection(snapshot, whole)
  return { snapshot, flow: whole, notes: asked ? [...notes, same] : notes, again: shellLine(again) }
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

function narrowed(snapshot: Snapshot, { from, label }: Flow, flags: FlowWords['flags']): Partial<Flow> {
  const { source } = flags
  const node = flags['entry-node']
  if (source !== undefined && !parseIp(source))
    throw new NetctlError({ code: 'USE008', message: `--source ${source} is no address`, try: '--source 172.18.0.11' })
  if (node !== undefined && !snapshot.hosts.has(`node/${node}`)) {
    const nodes = [...snapshot.hosts.values()].filter((h) => h.kind === 'node').map((h) => `--entry-node ${h.name}`)
    throw new NetctlError({
      code: 'USE008',
      message: `--entry-node ${node}: the snapshot has no dumps of such a node`,
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
export function noFlowBeside(args: { readonly source?: string | undefined; readonly destination?: string | undefined }): void {
  if (args.source === undefined && args.destination === undefined) return
  throw new NetctlError({
    code: 'USE009',
    message: '--flows walks the flows of its file: SRC and DST are not for it',
    try: 'leave them out, or leave --flows out',
  })
}
