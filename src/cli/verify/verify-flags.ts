import { boolean } from '@oclif/core/flags'
import { ExitCode, NetctlError } from '../../error.ts'
import { type WhatIfFlags, whatIfWords } from '../trace/what-if.ts'

/** `--verify`, `--catch` and what belongs to them; consent is `--yes`, how nodes are reached `--via`. */
export const verifyFlags = {
  verify: boolean({
    summary: 'send a real packet from where the client is, and hold what the nodes see of it against the prediction, step by step',
    helpGroup: 'VERIFY',
    exclusive: ['catch'],
  }),
  catch: boolean({
    summary: 'send nothing, but wait (--timeout, else 60s) for the next real packet like this one',
    helpGroup: 'VERIFY',
    exclusive: ['flows'],
  }),
  'only-dropped': boolean({ summary: 'the next one that is dropped', helpGroup: 'VERIFY', dependsOn: ['catch'] }),
  'dry-run': boolean({ summary: 'print what nodes would be asked to do, and send nothing', helpGroup: 'VERIFY' }),
}

export interface VerifyFlags {
  readonly verify?: boolean
  readonly catch?: boolean
  readonly 'only-dropped'?: boolean
  readonly 'dry-run'?: boolean
}

/** Is the prediction to be held against the kernels? Refuses what would prove nothing. */
export function wantsVerification(
  flags: VerifyFlags & WhatIfFlags & { readonly snapshot?: string | undefined; readonly state?: string | undefined },
): boolean {
  const word = flags.verify ? '--verify' : '--catch'
  if (!flags.verify && !flags.catch) {
    if (!flags['dry-run']) return false
    throw new NetctlError({
      code: 'VER001',
      message: '--dry-run is for --verify and --catch: a trace alone changes nothing',
      try: 'leave it out',
    })
  }
  if (flags.snapshot !== undefined)
    throw new NetctlError({
      code: 'VER001',
      message: `${word} asks the running cluster, --snapshot a recorded one`,
      why: 'tables may have changed since: a difference would prove nothing',
      try: `leave --snapshot out (and NETCTL_SNAPSHOT)`,
    })
  if (whatIfWords(flags).length > 0)
    throw new NetctlError({
      code: 'VER001',
      message: `${word} asks the world as it is, not one that is supposed`,
      try: 'leave the WHAT IF flags out',
    })
  if (flags.state !== undefined && flags.state !== 'new')
    throw new NetctlError({ code: 'VER001', message: `${word} is about the first packet of a new connection`, try: 'leave --state out' })
  return true
}

/** VER002: there is nobody to ask. */
export const needsConsent = (word: string): NetctlError =>
  new NetctlError({
    code: 'VER002',
    message: `${word} puts something on nodes for a moment, and there is nobody to ask`,
    try: '--yes agrees to it, --dry-run shows it',
  })

/** VER003: somebody said no. */
export const notAgreed = (): NetctlError =>
  new NetctlError({
    code: 'VER003',
    message: 'nothing was sent: it was not agreed to',
    try: '--dry-run shows what it would be',
    exitCode: ExitCode.refused,
  })
