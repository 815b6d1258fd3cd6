import { boolean, custom, string } from '@oclif/core/flags'
import type { OptionFlag } from '@oclif/core/interfaces'
import { NetctlError } from '../error.ts'

/**
 * The flags that commands share. A command takes those that it honours: a flag that does nothing is a defect,
 * so `completion` has no `--snapshot`.
 */

/** `30s`, `2m`, `500ms`, `1m30s`, or plain seconds → milliseconds */
export function parseDuration(text: string, flag = '--timeout'): number {
  const plain = /^\d+(\.\d+)?$/.exec(text)
  if (plain) return Number(text) * 1000
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)]
  if (parts.length === 0 || parts.map((p) => p[0]).join('') !== text) {
    throw new NetctlError({ code: 'USE005', message: `${flag} ${text} is not a duration`, try: 'say it as 30s, 2m or 1m30s' })
  }
  return parts.reduce((sum, [, amount, name]) => sum + Number(amount) * unit[name as keyof typeof unit], 0)
}

/** More than setTimeout can count (2^31 ms, 24 days) is no limit at all; zero is one that can't be met. */
const duration = custom<number>({
  parse: async (text) => {
    const ms = parseDuration(text)
    if (ms <= 0 || ms >= 2 ** 31) {
      throw new NetctlError({
        code: 'USE005',
        message: `--timeout ${text} is out of range`,
        try: 'say a time between 1ms and 24 days, or leave it out',
      })
    }
    return ms
  },
})

/** Which snapshot: `--snapshot`. Without it the running cluster is asked: see which-cluster.ts. */
export const snapshotFlag = {
  snapshot: string({
    summary: 'recorded cluster to read: a folder or its .tar.gz',
    helpValue: 'PATH',
    helpGroup: 'SOURCE',
    env: 'NETCTL_SNAPSHOT',
  }),
}

/** Which running cluster, where there is no snapshot. */
export const clusterFlags = {
  context: string({
    summary: 'kubeconfig context of the running cluster to read; beside --snapshot only its namespace counts',
    helpValue: 'NAME',
    helpGroup: 'SOURCE',
  }),
  kubeconfig: string({
    summary: 'kubeconfig of that cluster: else KUBECONFIG, else ~/.kube/config',
    helpValue: 'PATH',
    helpGroup: 'SOURCE',
  }),
}

/** Which namespace names without one are in: see namespace.ts. */
export const namespaceFlags = {
  namespace: string({ char: 'n', summary: 'namespace of names that give none', helpValue: 'NAME', helpGroup: 'SOURCE' }),
  ...clusterFlags,
}

/** `--timeout`, for commands that run their work through `bounded()`. */
export const timeoutFlag = {
  timeout: duration({ summary: 'give up after this long (30s, 2m): exit 3', helpValue: 'TIME', helpGroup: 'OUTPUT' }),
}

/** `--timeout` of commands that ask many machines, each of which gets as much. */
export const eachTimeoutFlag = {
  timeout: duration({
    summary: 'for each node (30s, 2m); what came until then is kept',
    helpValue: 'TIME',
    helpGroup: 'OUTPUT',
    default: 120_000,
    defaultHelp: async () => '2m',
  }),
}

/** `--no-input`, for commands that can ask. */
export const inputFlag = {
  'no-input': boolean({ summary: 'never ask; fail instead, naming the flag', helpGroup: 'OUTPUT' }),
}

/** What pods on nodes run, if nothing is said. */
export const POD_IMAGE = 'busybox:1.37.0'

/** `--via`, with what it does if nothing is said. */
const viaFlag = (summary: string): OptionFlag<'auto' | 'pod' | 'exec' | 'none'> =>
  string({
    summary: `how nodes are read through the API: ${summary}`,
    options: ['auto', 'pod', 'exec', 'none'],
    default: 'auto',
    helpGroup: 'NODES',
  }) as unknown as OptionFlag<'auto' | 'pod' | 'exec' | 'none'>

/** How nodes are reached through the API: see src/kube/open-way.ts. */
export const wayFlags = {
  via: viaFlag(
    'a short-lived privileged pod on each, exec into calico-node or kube-proxy, or not at all; auto: pods if you agree, else exec',
  ),
  'pod-namespace': string({
    summary: 'where such pods are made; netctl if it is there, else kube-system',
    helpValue: 'NAME',
    helpGroup: 'NODES',
  }),
  'pod-image': string({
    summary: 'what they run: anything with sh, sleep and nsenter or chroot',
    helpValue: 'IMAGE',
    default: POD_IMAGE,
    helpGroup: 'NODES',
  }),
  yes: boolean({ char: 'y', summary: 'agree to such pods without being asked', helpGroup: 'NODES' }),
}

/** How old what is read of a running cluster may be. */
export const maxAgeFlag = {
  'max-age': custom<number>({
    summary: 'what was read of the running cluster no longer ago may be used again (30s, 2m); 0 reads anew',
    helpValue: 'TIME',
    helpGroup: 'SOURCE',
    default: 30_000,
    defaultHelp: async () => '30s',
    parse: async (text) => parseDuration(text, '--max-age'),
  })(),
}

/** What a command that reads a running cluster is told besides: how its nodes are reached, and how old its answer may be. */
export const liveFlags = {
  ...wayFlags,
  via: viaFlag(
    'exec into calico-node or kube-proxy, a short-lived privileged pod on each, or not at all; auto: exec, else pods if you agree',
  ),
  ...maxAgeFlag,
}

/** `-q` and `-v`, for commands whose text output knows both. */
export const verbosityFlags = {
  quiet: boolean({ char: 'q', summary: 'the answer only', helpGroup: 'OUTPUT', exclusive: ['verbose'] }),
  verbose: boolean({ char: 'v', summary: 'everything that was looked at', helpGroup: 'OUTPUT' }),
}

export type OutputFormat = 'text' | 'wide' | 'json' | 'jsonl' | 'yaml' | 'csv' | 'junit' | 'sarif' | 'github' | 'tap'

/** `-o`, with the formats that the command has; the first is the default. */
export function outputFlag<const T extends readonly [OutputFormat, ...OutputFormat[]]>(formats: T): { output: OptionFlag<T[number]> } {
  const flag = string({ char: 'o', summary: 'shape of stdout', helpGroup: 'OUTPUT', options: [...formats], default: formats[0] })
  // `options` makes sure of it
  return { output: flag as unknown as OptionFlag<T[number]> }
}

/** Everything that a command which reads a snapshot shares, but `-o`. */
export const sharedFlags = { ...snapshotFlag, ...namespaceFlags, ...timeoutFlag, ...inputFlag, ...verbosityFlags }
