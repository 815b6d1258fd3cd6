import { ResolveError } from '../../cluster/inventory.ts'
import { NetctlError } from '../../error.ts'
import { type AskedFlows, askedFlows, type FlowDetails } from '../../policy/query/asked-flows.ts'
import { endOf } from '../../policy/query/ends.ts'
import { endName } from '../../report/policy/names.ts'
import { type Choice, equalCommand, pick } from '../pickers.ts'
import type { Terminal } from '../terminal.ts'
import type { LoadedScene } from './scene.ts'

/** What the command line says of flows. */
export interface FlowWords {
  readonly command: 'eval' | 'explain'
  readonly src: string | undefined
  readonly dst: string | undefined
  readonly ports: readonly string[]
  readonly details: FlowDetails
}

/** The flows that SRC, DST and `--port` name. What is missing is asked for on a terminal, and is an error elsewhere (USE007, NAM003). */
export async function whichFlows(scene: LoadedScene, words: FlowWords, terminal: Terminal): Promise<AskedFlows> {
  const { command, src, dst, ports, details } = words
  if (!terminal.canPrompt) {
    if (src !== undefined && dst !== undefined) return askedFlows(scene, src, dst, ports, details)
    throw new NetctlError({
      code: 'USE007',
      message: `${src === undefined ? 'SRC and DST are' : 'DST is'} missing`,
      try: `netctl policy ${command} SRC DST -f PATH, for instance pod/shop/web svc/shop/api:80`,
    })
  }
  const from = src ?? (await pick('From', senders(scene)))
  const to = await withPort(scene, from, dst ?? (await pick('To', receivers(scene))), words)
  const asked = askedFlows(scene, from, to, ports, details)
  const same = src !== from || dst !== to
  return same
    ? { ...asked, notes: [...asked.notes, equalCommand(['policy', command, from, to, ...scene.input.again, ...detailWords(words)])] }
    : asked
}

/** A destination that has several ports, with the one that is picked. */
async function withPort(scene: LoadedScene, from: string, to: string, { ports, details }: FlowWords): Promise<string> {
  try {
    askedFlows(scene, from, to, ports, details)
    return to
  } catch (error) {
    if (!(error instanceof ResolveError) || error.problem !== 'port' || error.choices.length === 0) throw error
    return pick('Port', error.choices)
  }
}

const senders = ({ world }: LoadedScene): readonly Choice[] => world.endpoints.map((endpoint) => ({ value: endName(endOf(endpoint)) }))

const receivers = (scene: LoadedScene): readonly Choice[] => [
  ...senders(scene),
  ...[...scene.services.byName].flatMap(([name, { type }]) => (type === 'ExternalName' ? [] : [{ value: `svc/${name}` }])),
]

const detailWords = ({ ports, details }: FlowWords): string[] => [
  ...ports.flatMap((port) => ['--port', port]),
  ...(details.sourcePort === undefined ? [] : ['--source-port', String(details.sourcePort)]),
  ...(details.staged ? ['--staged'] : []),
  ...(details.class === undefined ? [] : ['--class', details.class]),
]
