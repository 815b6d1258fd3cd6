import { string as stringArg } from '@oclif/core/args'
import { boolean, integer, option, string } from '@oclif/core/flags'
import type { FlowClass } from '../../policy/flow.ts'
import type { FlowDetails } from '../../policy/query/asked-flows.ts'

/** SRC and DST, as `policy eval` and `policy explain` take them. */
export const policyFlowArgs = {
  src: stringArg({
    ignoreStdin: true,
    description: 'who sends: pod/NAMESPACE/NAME, NAMESPACE/NAME, deploy/NAME, node/NAME, hep:NAME or an address',
  }),
  dst: stringArg({
    ignoreStdin: true,
    description: 'where to: pod/NAMESPACE/NAME:PORT, svc/NAME:PORT, 10.0.0.9:53/udp, [fd00::5]:80, …/icmp',
  }),
}

const classes: readonly FlowClass[] = ['normal', 'untracked', 'preDNAT', 'forward']

/** What narrows a flow further. */
export const policyFlowFlags = {
  port: string({
    summary: 'port of DST, where it says none: 80, 53/udp, a name, icmp',
    helpValue: 'PORT[/PROTO]',
    helpGroup: 'FLOW',
    multiple: true,
    multipleNonGreedy: true,
  }),
  'source-port': integer({ summary: 'port that the client sends from', min: 1, max: 65535, helpValue: 'PORT', helpGroup: 'FLOW' }),
  staged: boolean({ summary: 'as if the staged policies went live', helpGroup: 'FLOW' }),
  class: option({ summary: 'one hook of a host endpoint, and nothing else', options: classes, helpGroup: 'FLOW' })(),
}

interface Flags {
  readonly 'source-port'?: number | undefined
  readonly staged?: boolean
  readonly class?: FlowClass | undefined
}

/** What the flags say of a flow besides its ends. */
export const detailsOf = (flags: Flags): FlowDetails => ({
  ...(flags['source-port'] !== undefined && { sourcePort: flags['source-port'] }),
  ...(flags.staged && { staged: true }),
  ...(flags.class !== undefined && { class: flags.class }),
})
