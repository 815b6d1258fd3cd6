import { type Json, rec, str } from '../../cluster/items.ts'
import { isShadow, readDump } from '../../cluster/manifest/dump.ts'
import { distinct } from '../../cluster/manifest/identity.ts'
import type { Resource } from '../../cluster/manifest/kinds.ts'
import { expectWhole, joinManifests, readManifest, readValues } from '../../cluster/manifest/read.ts'
import type { Manifest, Warning } from '../../cluster/manifest/types.ts'
import { NetctlError } from '../../error.ts'
import { openSnapshotFiles } from '../../snapshot/open.ts'
import { openStore } from '../../snapshot/store.ts'
import { findManifests, readManifestText } from '../../system/manifest-files.ts'
import { bounded } from '../bounded.ts'

/** The objects of an input, and what to tell of them. */
export interface PolicyInput extends Manifest {
  /** files that were read and folders that were looked through, as they were given: what `--watch` watches. None of a live cluster */
  readonly paths: readonly string[]
  /** the flags that name this input again */
  readonly again: readonly string[]
  /** was it picked from a list, without a flag that says so? */
  readonly picked?: boolean
}

/**
 * Reads manifests (or a snapshot, where a path is one) as one input. What Kubernetes would refuse stands in `refused`, and so does an object that stands there twice. Throws NetctlError MAN003 if
 * nothing in it has to do with policies; FileError.
 */
export async function readPaths(paths: readonly string[], namespace: string, timeout: number | undefined): Promise<PolicyInput> {
  const manifests: Manifest[] = []
  for (const path of paths) {
    const found = findManifests(path)
    if (found.kind === 'snapshot') manifests.push(await readSnapshot(path, timeout))
    else
      manifests.push(
        await bounded('reading manifests', timeout, () => readFiles(found.files, { namespace, found: found.kind === 'folder' })),
      )
    const left = found.left.map(({ path: file, why }): Warning => ({ file, line: 1, message: `left out: ${why}` }))
    manifests.push({ objects: [], skipped: new Map(), warnings: left, refused: [] })
  }
  const all = joinManifests(manifests)
  expectSome(all, paths.join(', '))
  return { ...distinct(all), paths, again: paths.flatMap((path) => ['-f', path]) }
}

function readFiles(files: readonly string[], options: { readonly namespace: string; readonly found: boolean }): Manifest {
  return joinManifests(files.map((file) => readManifest(readManifestText(file), file === '-' ? 'standard input' : file, options)))
}

/** An input without an object is a mistake of whoever made it: a pipe that broke, a wrong folder. */
function expectSome({ objects, skipped, refused }: Manifest, name: string): void {
  // tests and recordings are no part of what they are about
  if (objects.some(({ apiVersion }) => !apiVersion.startsWith('netctl.dev/')) || refused.length > 0) return
  const other = [...skipped].map(([kind, count]) => `${count} ${kind}`).join(', ')
  throw new NetctlError({
    code: 'MAN003',
    message: `${name === '-' ? 'standard input' : name} holds no policies, pods or namespaces${other === '' ? '' : `, only ${other}`}`,
    try: 'name a file or folder with manifests; of a pipe, look at what comes before it',
  })
}

/** Reads the cluster objects of a snapshot; its dumps of nodes stay unread. */
export async function readSnapshot(path: string, timeout: number | undefined): Promise<PolicyInput> {
  const store = openStore(await openSnapshotFiles(path))
  const files = store.files.filter((file) => file.startsWith('cluster/'))
  const manifest = await bounded('reading the snapshot', timeout, () => readDump({ files, text: (file) => store.text(file) ?? '' }))
  expectSome(manifest, path)
  return { ...distinct(manifest), paths: [path], again: ['--snapshot', path] }
}

export interface LiveFlags {
  readonly context?: string | undefined
  readonly kubeconfig?: string | undefined
  readonly timeout?: number | undefined
}

/** Reads a running cluster. Throws NetctlError KUB001 to KUB007. */
export async function readLive({ context, kubeconfig, timeout }: LiveFlags): Promise<PolicyInput> {
  const { readCluster } = await import('../../kube/read-cluster.ts')
  const { name, lists, warnings } = await bounded('reading the cluster', timeout, () => readCluster(kubeconfig, context))
  const manifests = lists.map(({ resource, values }) =>
    readValues(values, (value) => nameOf(name, resource, value), { namespace: 'default' }),
  )
  const all = joinManifests(manifests)
  expectWhole(all)
  return {
    ...all,
    objects: all.objects.filter((object) => !isShadow(object)),
    warnings: [...all.warnings, ...warnings.map((message): Warning => ({ file: name, line: 1, message }))],
    paths: [],
    again: ['--context', name, ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig])],
  }
}

/** What stands for the file of a live object: `prod/networkpolicies.networking.k8s.io/shop/api`. */
function nameOf(context: string, { plural, group }: Resource, value: Json): string {
  const { namespace, name } = rec(value.metadata)
  return [context, group === '' ? plural : `${plural}.${group}`, str(namespace), str(name)].filter((part) => part).join('/')
}
