import { dirname, join } from 'node:path'
import { distinct, merge } from '../../cluster/manifest/identity.ts'
import { joinManifests } from '../../cluster/manifest/read.ts'
import type { Manifest, ManifestObject } from '../../cluster/manifest/types.ts'
import { type Scene, servicesOf } from '../../policy/query/services.ts'
import { resolveNamespace } from '../namespace.ts'
import type { Terminal } from '../terminal.ts'
import { type InputFlags, notesOf, readInput } from './inputs.ts'
import { readPaths } from './sources.ts'
import { wholeWorld } from './world.ts'

/** What a document is about. */
export interface About {
  /** the document's own file */
  readonly file: string
  /** `spec.manifests` */
  readonly manifests: readonly string[]
  /** objects of a cluster that stand beside it */
  readonly beside: readonly ManifestObject[]
}

export interface Scenes {
  readonly of: (about: About) => Promise<Scene>
  /** to be told on stderr, and what was read: of the scenes asked for so far */
  readonly notes: readonly string[]
  readonly paths: readonly string[]
}

/** Do flags say what documents are about? A snapshot that the environment names for good gives way to what they say themselves. */
export const namesInput = ({ filename, snapshot, context, kubeconfig }: InputFlags): boolean =>
  filename !== undefined ||
  (snapshot !== undefined && snapshot !== process.env.NETCTL_SNAPSHOT) ||
  context !== undefined ||
  kubeconfig !== undefined

/**
 * The worlds of documents, each read once however many are about it: what the flags name; else what the document names and what
 * stands beside it; `--with` on top of either.
 */
export async function scenesFor(flags: InputFlags, terminal: Terminal, root: string): Promise<Scenes> {
  const namespace = await resolveNamespace(flags)
  const notes: string[] = []
  const paths: string[] = []
  const scenes = new Map<string, Promise<Scene>>()
  const build = (input: Manifest & { readonly paths: readonly string[] }): Scene => {
    notes.push(...notesOf(input, false))
    paths.push(...input.paths)
    return { world: wholeWorld(input), services: servicesOf(input.objects), namespace }
  }
  const read = async ({ beside }: About, named: readonly string[]): Promise<Scene> => {
    if (namesInput(flags) || (named.length === 0 && beside.length === 0))
      return build(await readInput(flags, terminal, root, { partial: true }))
    const parts = named.length > 0 ? [await readPaths(named, namespace, flags.timeout)] : []
    const own = { objects: beside, skipped: new Map(), warnings: [], refused: [] }
    const base = distinct(joinManifests([...parts, own]))
    const { with: changes = [] } = flags
    const top = changes.length > 0 ? await readPaths(changes, namespace, flags.timeout) : undefined
    const all = joinManifests(top ? [base, top] : [base])
    return build({ ...all, objects: merge(base.objects, top?.objects ?? []), paths: [...named, ...changes] })
  }
  return {
    notes,
    paths,
    of(about) {
      const named = namesInput(flags) ? [] : about.manifests.map((path) => join(dirname(about.file), path))
      const key = namesInput(flags) ? '' : JSON.stringify([named, about.beside.length > 0 ? about.file : ''])
      let scene = scenes.get(key)
      if (!scene) scenes.set(key, (scene = read(about, named)))
      return scene
    },
  }
}
