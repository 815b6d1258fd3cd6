import { join } from 'node:path'
import { string as stringArg } from '@oclif/core/args'
import { string } from '@oclif/core/flags'
import { overlay } from '../../cluster/manifest/identity.ts'
import { expectWhole } from '../../cluster/manifest/read.ts'
import type { Manifest } from '../../cluster/manifest/types.ts'
import { NetctlError } from '../../error.ts'
import { sanitize } from '../../report/sanitize.ts'
import { hasKubeconfig } from '../../system/kubeconfig-files.ts'
import { findSnapshots } from '../../system/nearby-snapshots.ts'
import { clusterFlags, snapshotFlag } from '../flags.ts'
import { resolveNamespace } from '../namespace.ts'
import { pick } from '../pickers.ts'
import { shellLine } from '../shell-words.ts'
import type { Terminal } from '../terminal.ts'
import { type PolicyInput, readLive, readPaths, readSnapshot } from './sources.ts'

const repeatable = { multiple: true, multipleNonGreedy: true, helpValue: 'PATH', helpGroup: 'SOURCE' } as const

/** Where the objects come from that a `netctl policy` command is about. */
export const inputFlags = {
  filename: string({ ...repeatable, char: 'f', summary: 'manifests: a file, a folder and all below it, or - for standard input' }),
  ...snapshotFlag,
  with: string({ ...repeatable, summary: 'manifests to put on top: they replace what has their name, and add the rest' }),
  namespace: string({ char: 'n', summary: 'namespace of names and manifests that give none', helpValue: 'NAME', helpGroup: 'SOURCE' }),
  context: string({
    summary: 'cluster to read; beside -f or --snapshot only its namespace counts',
    helpValue: 'NAME',
    helpGroup: 'SOURCE',
  }),
  kubeconfig: clusterFlags.kubeconfig,
}

/** The same manifests without `-f`: `netctl policy matrix policies/`. */
export const pathArgs = {
  path: stringArg({
    multiple: true,
    ignoreStdin: true,
    description: 'manifests: a file, a folder and all below it, as with -f',
  }),
}

/** Flags with the paths that were typed as arguments. */
export function withPaths<T extends InputFlags>(flags: T, paths: readonly string[] | undefined): T {
  return paths === undefined || paths.length === 0 ? flags : { ...flags, filename: [...(flags.filename ?? []), ...paths] }
}

export interface InputFlags {
  readonly filename?: readonly string[] | undefined
  readonly snapshot?: string | undefined
  readonly with?: readonly string[] | undefined
  readonly namespace?: string | undefined
  readonly context?: string | undefined
  readonly kubeconfig?: string | undefined
  readonly timeout?: number | undefined
}

export interface ReadInput {
  /** go on without what Kubernetes would refuse: it then stands in `refused`, and the caller says so */
  readonly partial?: boolean
}

/**
 * Reads what the flags name: manifests, else a snapshot, else a live cluster, with the manifests of `--with` on top. Where they name nothing, asks on a
 * terminal (`picked`). Throws NetctlError: USE010 nothing is named, USE011 what is named doesn't go together, MAN… of manifests, KUB… of a cluster; FileError;
 * ParseError of a snapshot.
 */
export async function readInput(flags: InputFlags, terminal: Terminal, root: string, options: ReadInput = {}): Promise<PolicyInput> {
  const input = await readAll(flags, terminal, root)
  if (options.partial !== true) expectWhole(input)
  return input
}

async function readAll(flags: InputFlags, terminal: Terminal, root: string): Promise<PolicyInput> {
  const { with: changes = [] } = flags
  const base = await readBase(flags, terminal, root)
  if (changes.length === 0) return base
  const top = await readPaths(changes, await resolveNamespace(flags), flags.timeout)
  return {
    ...base,
    ...overlay(base, top),
    paths: [...base.paths, ...top.paths],
    again: [...base.again, ...changes.flatMap((path) => ['--with', path])],
  }
}

async function readBase(flags: InputFlags, terminal: Terminal, root: string): Promise<PolicyInput> {
  const { filename = [], snapshot, context, kubeconfig, timeout } = flags
  // the environment may name a snapshot for good: what is typed goes before it
  if (filename.length > 0 && snapshot !== undefined && snapshot !== process.env.NETCTL_SNAPSHOT) {
    throw new NetctlError({
      code: 'USE011',
      message: '-f and --snapshot both say what there is',
      try: 'leave one out; what belongs on top of a snapshot goes into --with',
    })
  }
  if (filename.length > 0) return readPaths(filename, await resolveNamespace(flags), timeout)
  if (snapshot !== undefined) return readSnapshot(snapshot, timeout)
  if (context !== undefined || kubeconfig !== undefined) return readLive({ context, kubeconfig, timeout })
  if (!terminal.canPrompt && hasKubeconfig()) return { ...(await readLive({ timeout })), picked: true }
  if (!terminal.canPrompt) {
    throw new NetctlError({
      code: 'USE010',
      message: 'which policies? neither manifests nor a cluster were named',
      try: '-f PATH (a file, a folder, or -), --snapshot PATH, or --context NAME',
    })
  }
  return readPicked(root, timeout)
}

/** What to tell of an input before the answer, on stderr: how it was picked, and what of it has a place; with `verbose` what was left out as well. */
export function notesOf({ picked, again = [], warnings, skipped }: Manifest & Partial<PolicyInput>, verbose: boolean): readonly string[] {
  const left = [...skipped].map(([kind, count]) => `${count} ${kind}`).join(', ')
  return [
    ...(picked ? [`Reading ${shellLine(again)}`] : []),
    ...warnings.map(({ file, line, message }) => sanitize(`! ${file}:${line}: ${message}`)),
    ...(verbose && left !== '' ? [`of no concern to policies: ${left}`] : []),
  ]
}

/** A snapshot nearby, or a cluster of the kubeconfig. */
async function readPicked(root: string, timeout: number | undefined): Promise<PolicyInput> {
  const cwd = process.cwd()
  const { contextNames } = await import('../../kube/context.ts')
  const contexts = new Map((await contextNames()).map((name) => [`--context ${name}`, name]))
  const picked = await pick('Policies of', [
    ...[...contexts].map(([value, name]) => ({ value, label: name, hint: 'cluster' })),
    ...findSnapshots([cwd, join(root, 'examples')], cwd).map(({ path, kind }) => ({ value: path, hint: kind })),
  ])
  const context = contexts.get(picked)
  return { ...(context === undefined ? await readSnapshot(picked, timeout) : await readLive({ context, timeout })), picked: true }
}
