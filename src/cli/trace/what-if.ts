import { string } from '@oclif/core/flags'
import { NetctlError } from '../../error.ts'
import type { Changed, Snapshot } from '../../snapshot/types.ts'
import { suppose } from '../../snapshot/what-if/apply.ts'
import { readBytes } from '../../system/input.ts'
import { type TraceOptions, traceFlow } from '../../trace/trace.ts'
import type { Flow, Trace } from '../../trace/types.ts'
import { traceBoth } from '../../trace/what-if.ts'

const repeatable = { multiple: true, multipleNonGreedy: true, helpGroup: 'WHAT IF' } as const

/** What is to be supposed otherwise than the snapshot says; each may be given several times. */
export const whatIfFlags = {
  sysctl: string({ ...repeatable, summary: 'as if the setting were so on the host (* is every node)', helpValue: 'KEY=VALUE@HOST' }),
  'node-down': string({ ...repeatable, summary: 'as if the node were off, and its pods with it', helpValue: 'NODE' }),
  'without-rule': string({
    ...repeatable,
    summary: 'as if the rule were not there: n2:iptables:filter:FORWARD:3, or n2:nft:ip:filter:forward:#12',
    helpValue: 'RULE',
  }),
  replace: string({ ...repeatable, summary: 'as if this file of the snapshot held what FILE holds', helpValue: 'NAME=FILE' }),
}

/** The values of these flags. */
export type WhatIfFlags = { readonly [K in keyof typeof whatIfFlags]?: readonly string[] | undefined }

/** The snapshot with everything that the flags suppose; undefined if they suppose nothing. */
export const changedBy = (snapshot: Snapshot, flags: WhatIfFlags): Changed | undefined => supposing(flags)?.(snapshot)

/** Makes a snapshot one with everything that the flags suppose; undefined if they suppose nothing. Files that they name are read here, once. */
export function supposing(flags: WhatIfFlags): ((snapshot: Snapshot) => Changed) | undefined {
  const { sysctl = [], 'node-down': nodeDown = [], 'without-rule': withoutRule = [], replace = [] } = flags
  if (sysctl.length + nodeDown.length + withoutRule.length + replace.length === 0) return undefined
  const supposed = { sysctl, nodeDown, withoutRule, replace: replace.map(replacement) }
  return (snapshot) => suppose(snapshot, supposed)
}

function replacement(said: string): { readonly name: string; readonly path: string; readonly bytes: Buffer } {
  const equals = said.indexOf('=')
  const [name, path] = [said.slice(0, Math.max(0, equals)), said.slice(equals + 1)]
  if (name === '' || path === '') {
    throw new NetctlError({
      code: 'WHF002',
      message: `--replace ${said}: not NAME=FILE`,
      try: "--replace 'nodes/n2/iptables-save.txt=patched.txt'",
    })
  }
  return { name, path, bytes: readBytes(path) }
}

/** Hosts that the flags name (`node/n2`, `pod/shop/web-1`): of a cluster that is read live, they must be read to suppose anything of them. */
export function hostsSupposed({
  sysctl = [],
  'node-down': down = [],
  'without-rule': rules = [],
  replace = [],
}: WhatIfFlags): readonly string[] {
  const named = [
    ...sysctl.map((said) => said.slice(said.lastIndexOf('@') + 1)),
    ...down,
    ...rules.map((said) => said.split(':', 1)[0] ?? ''),
    ...replace.map((said) => said.replace(/^nodes\/([^/]+)\/.*/s, 'node/$1').replace(/^pods\/([^/_]+)_([^/]+)\/.*/s, 'pod/$1/$2')),
  ]
  return named.map((name) => (name.includes('/') ? name : `node/${name}`))
}

/** The words of the flags, to be typed again. */
export const whatIfWords = (flags: WhatIfFlags): string[] =>
  (Object.keys(whatIfFlags) as (keyof WhatIfFlags)[]).flatMap((name) => (flags[name] ?? []).flatMap((value) => [`--${name}`, value]))

/** The flow in this world; with `changed` in that one, beside this. */
export function traceIt(
  snapshot: Snapshot,
  changed: Changed | undefined,
  flow: Flow,
  options: TraceOptions,
): { readonly trace: Trace; readonly today?: Trace } {
  return changed ? traceBoth(snapshot, changed, flow, options) : { trace: traceFlow(snapshot, flow, options) }
}
