import { overlay } from '../../cluster/manifest/identity.ts'
import { ExitCode, NetctlError } from '../../error.ts'
import { parsePort } from '../../policy/matrix/asked-ports.ts'
import { diffOf, type MatrixDiff } from '../../policy/matrix/diff.ts'
import type { PolicyWorld } from '../../policy/world.ts'
import { diffDocument } from '../../report/policy/diff-json.ts'
import { diffText } from '../../report/policy/diff-text.ts'
import { printableJson } from '../../report/sanitize.ts'
import { resolveNamespace } from '../namespace.ts'
import type { Terminal } from '../terminal.ts'
import { type InputFlags, readInput } from './inputs.ts'
import { type PolicyInput, readPaths } from './sources.ts'
import { expectSomebody, wholeWorld } from './world.ts'

/** The world of one path (manifests or a snapshot), on top of what both sides share. Throws as readInput and wholeWorld do. */
export async function worldAt(path: string, flags: InputFlags, base?: PolicyInput): Promise<PolicyWorld> {
  const own = await readPaths([path], await resolveNamespace(flags), flags.timeout)
  return wholeWorld(base ? overlay(base, own) : own)
}

/** What both sides share, if the flags name anything. */
export async function sharedInput(flags: InputFlags, terminal: Terminal, root: string): Promise<PolicyInput | undefined> {
  const { filename, snapshot, context, kubeconfig } = flags
  // a snapshot that the environment names for good is not meant here
  const named = [filename, snapshot === process.env.NETCTL_SNAPSHOT ? undefined : snapshot, context, kubeconfig].some(
    (flag) => flag !== undefined,
  )
  return named ? readInput(flags, terminal, root) : undefined
}

/** `--diff` has a shape of its own. Throws USE014. */
export function noMatrixBeside({
  output,
  from,
  to,
}: {
  output: string
  from?: readonly string[] | undefined
  to?: readonly string[] | undefined
}): void {
  if (output !== 'text' && output !== 'json')
    throw new NetctlError({ code: 'USE014', message: `--diff can't be printed as ${output}`, try: '-o text or -o json' })
  if (from ?? to) throw new NetctlError({ code: 'USE014', message: '--diff is about everyone: --from and --to don’t go with it' })
}

export interface DiffFlags {
  readonly port?: readonly string[] | undefined
  readonly output: string
}

/** What opens and closes; 1 if anything does. Throws PWH004 where nobody is on both sides. */
export function compareWorlds(
  before: PolicyWorld,
  after: PolicyWorld,
  { port }: DiffFlags,
): { readonly diff: MatrixDiff; readonly code: ExitCode } {
  const old = new Set(before.endpoints.map(({ id }) => id))
  expectSomebody(
    after.endpoints.filter(({ id }) => old.has(id)),
    'on both sides',
  )
  const diff = diffOf(before, after, port?.map(parsePort))
  return { diff, code: diff.changes.length > 0 ? ExitCode.no : ExitCode.ok }
}

/** It in a shape that is no report file; undefined for those that are. */
export function diffIn(output: string, diff: MatrixDiff, terminal: Terminal): string | undefined {
  if (output === 'json') return printableJson(diffDocument(diff), 2)
  return output === 'text' ? diffText(diff, terminal) : undefined
}
