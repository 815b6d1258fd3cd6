import { expectWhole, readManifest } from '../../cluster/manifest/read.ts'
import type { ManifestObject } from '../../cluster/manifest/types.ts'
import { NetctlError } from '../../error.ts'
import type { Scene } from '../../policy/query/services.ts'
import { type PolicySnapshot, readPolicySnapshot } from '../../policy/record/read.ts'
import { readPolicyTest } from '../../policy/test/read.ts'
import type { PolicyTest } from '../../policy/test/types.ts'
import { findManifests, readManifestText } from '../../system/manifest-files.ts'
import { resolveNamespace } from '../namespace.ts'
import type { Terminal } from '../terminal.ts'
import type { InputFlags } from './inputs.ts'
import { type About, scenesFor } from './test-scenes.ts'

/** Documents, each with the world that it is about. */
export interface ReadyTests {
  readonly tests: readonly { readonly test: PolicyTest; readonly scene: Scene }[]
  readonly snapshots: readonly { readonly snapshot: PolicySnapshot; readonly scene: Scene }[]
  /** to be told on stderr */
  readonly notes: readonly string[]
  /** what was read: for `--watch` */
  readonly paths: readonly string[]
}

/** Reads the tests and snapshots of files and folders, and what each is about. Throws NetctlError for the first fault. */
export async function readTests(paths: readonly string[], flags: InputFlags, terminal: Terminal, root: string): Promise<ReadyTests> {
  const namespace = await resolveNamespace(flags)
  const scenes = await scenesFor(flags, terminal, root)
  const tests: ReadyTests['tests'][number][] = []
  const snapshots: ReadyTests['snapshots'][number][] = []
  for (const path of paths) {
    const files = testFilesAt(path, namespace)
    // a document that names nothing is about what lies in its folder
    const around: About = { file: path, manifests: [], beside: files.flatMap((file) => file.beside) }
    const about = (file: TestFile, manifests: readonly string[]): About => (manifests.length > 0 ? { ...file, manifests } : around)
    for (const file of files) {
      for (const test of file.tests) tests.push({ test, scene: await scenes.of(about(file, test.manifests)) })
      for (const snapshot of file.snapshots) snapshots.push({ snapshot, scene: await scenes.of(about(file, snapshot.manifests)) })
    }
  }
  return { tests, snapshots, notes: scenes.notes, paths: [...paths, ...scenes.paths] }
}

interface TestFile extends Pick<About, 'file' | 'beside'> {
  readonly tests: readonly PolicyTest[]
  readonly snapshots: readonly PolicySnapshot[]
}

/** All files of a path; at least one of them has tests. */
function testFilesAt(path: string, namespace: string): readonly TestFile[] {
  const files = findManifests(path).files.map((file) => testFile(file, namespace))
  if (files.some(({ tests, snapshots }) => tests.length + snapshots.length > 0)) return files
  throw new NetctlError({
    code: 'PTE003',
    message: `${path} holds no PolicyTest and no PolicySnapshot`,
    try: 'docs/policy-tests.md shows one; manifests to be tested are named by -f',
  })
}

/** USE003: nothing was named. */
export const noTests = (): NetctlError =>
  new NetctlError({
    code: 'USE003',
    message: 'which tests? no FILE was named',
    try: 'netctl policy test FILE …, or --record FILE to write one',
  })

/** The tests, recordings and manifests of one file (`-`: stdin). Throws NetctlError MAN001, MAN002, PTE001, FileError. */
export function testFile(file: string, namespace: string): TestFile {
  const manifest = readManifest(readManifestText(file), file === '-' ? 'standard input' : file, { namespace })
  expectWhole(manifest)
  const own = ({ apiVersion }: ManifestObject): boolean => apiVersion.startsWith('netctl.dev/')
  const ofKind = (kind: string): readonly ManifestObject[] => manifest.objects.filter((object) => own(object) && object.kind === kind)
  return {
    file,
    tests: ofKind('PolicyTest').map(readPolicyTest),
    snapshots: ofKind('PolicySnapshot').map(readPolicySnapshot),
    beside: manifest.objects.filter((object) => !own(object)),
  }
}
