import { basename, dirname, relative } from 'node:path'
import { LARGEST_YAML } from '../../cluster/manifest/values.ts'
import { NetctlError } from '../../error.ts'
import type { PolicySnapshot } from '../../policy/record/read.ts'
import { recordingOf } from '../../policy/record/recording.ts'
import { recordingJson, recordingYaml } from '../../report/policy/recording-yaml.ts'
import { exists } from '../../system/manifest-files.ts'
import { writeOutput } from '../../system/output.ts'
import { resolveNamespace } from '../namespace.ts'
import { shellLine } from '../shell-words.ts'
import type { Terminal } from '../terminal.ts'
import type { InputFlags } from './inputs.ts'
import { testFile } from './test-files.ts'
import { namesInput, scenesFor } from './test-scenes.ts'
import { expectSomebody } from './world.ts'

/**
 * Records what policies allow in a PolicySnapshot at `path`, in place of one that is there: of what the flags name, else of what that one
 * is about. Gives what to say of it.
 */
export async function record(path: string, flags: InputFlags, terminal: Terminal, root: string): Promise<string> {
  const old = exists(path) ? recordedAt(path, await resolveNamespace(flags)) : undefined
  const scenes = await scenesFor(flags, terminal, root)
  const { world } = await scenes.of({ file: path, manifests: old?.manifests ?? [], beside: [] })
  expectSomebody(world.endpoints, 'in the input')
  const recording = recordingOf(world)
  const name = old?.name ?? basename(path).replace(/\.(?:ya?ml|json)$/, '')
  const manifests = manifestsOf(path, flags, old?.manifests ?? [])
  // what the document names itself needs no words, so that to record again changes nothing
  const again = shellLine([
    'netctl',
    'policy',
    'test',
    '--record',
    path,
    ...inputWords(manifests.length > 0 ? { ...flags, filename: [] } : flags),
  ])
  const json = path.endsWith('.json')
  const text = json ? recordingJson(recording, name, manifests) : recordingYaml(recording, name, manifests, again)
  if (!json && text.length > LARGEST_YAML) {
    throw new NetctlError({
      code: 'USE017',
      message: `what is recorded has ${Math.ceil(text.length / 2 ** 20)} MiB, more than a YAML document may have to be read again`,
      try: `--record ${path.replace(/\.ya?ml$/, '')}.json`,
    })
  }
  writeOutput(path, text)
  return `${path}: recorded what is allowed between ${recording.endpoints.size} pods and workloads`
}

/** The snapshot in a file that may be written over: it holds that, or nothing. Throws USE016 if it holds anything else. */
function recordedAt(path: string, namespace: string): PolicySnapshot | undefined {
  const { tests, snapshots, beside } = testFile(path, namespace)
  if (tests.length + beside.length === 0 && snapshots.length <= 1) return snapshots[0]
  throw new NetctlError({
    code: 'USE016',
    message: `${path} holds other documents than one PolicySnapshot: they would be lost`,
    try: 'name a file of its own for what is recorded',
  })
}

/** Paths as the document should name them, as far as files can name what the recording is of. */
function manifestsOf(path: string, { filename = [], with: changes = [], ...flags }: InputFlags, old: readonly string[]): readonly string[] {
  if (changes.length > 0) return []
  if (!namesInput({ ...flags, ...(filename.length > 0 && { filename }) })) return old
  return filename.includes('-') ? [] : filename.map((name) => relative(dirname(path), name) || '.')
}

const inputWords = ({ filename = [], snapshot, with: changes = [], context, namespace }: InputFlags): string[] => [
  ...filename.flatMap((name) => ['-f', name]),
  ...(snapshot === undefined ? [] : ['--snapshot', snapshot]),
  ...(context === undefined ? [] : ['--context', context]),
  ...(namespace === undefined ? [] : ['-n', namespace]),
  ...changes.flatMap((name) => ['--with', name]),
]
