import { dirname, join } from 'node:path'
import { distinct, merge } from '../../cluster/manifest/identity.ts'
import { expectWhole, readManifest } from '../../cluster/manifest/read.ts'
import type { ManifestObject } from '../../cluster/manifest/types.ts'
import { NetctlError } from '../../error.ts'
import { type Scene, servicesOf } from '../../policy/services.ts'
import { readPolicyTest } from '../../policy/test/read.ts'
import type { PolicyTest } from '../../policy/test/types.ts'
import { findManifests, readManifestText } from '../../system/manifest-files.ts'
import { resolveNamespace } from '../namespace.ts'
import type { Terminal } from '../terminal.ts'
import { type InputFlags, readInput } from './inputs.ts'
import { type PolicyInput, readPaths } from './sources.ts'
import { wholeWorld } from './world.ts'

/** A file with tests, and what else stands in it. */
interface TestFile {
  readonly file: string
  readonly tests: readonly PolicyTest[]
  /** objects of a cluster beside the tests: a part of their input */
  readonly beside: readonly ManifestObject[]
}

/** A document with the world that it is about. */
export interface ReadyTest {
  readonly test: PolicyTest
  readonly scene: Scene
}

export interface ReadyTests {
  readonly ready: readonly ReadyTest[]
  /** to be told on stderr */
  readonly notes: readonly string[]
  /** what was read: for `--watch` */
  readonly paths: readonly string[]
}

/** Reads the tests of files and folders, and for each what it is about. Throws NetctlError for the first fault. */
export async function readTests(paths: readonly string[], flags: InputFlags, terminal: Terminal, root: string): Promise<ReadyTests> {
  const namespace = await resolveNamespace(flags)
  const files = paths.flatMap((path) => testFilesAt(path, namespace))
  const sources = new Sources(flags, terminal, root, namespace)
  const ready: ReadyTest[] = []
  for (const { file, tests, beside } of files)
    for (const test of tests) ready.push({ test, scene: await sources.sceneOf(file, test, beside) })
  return { ready, notes: sources.notes, paths: [...paths, ...sources.paths] }
}

function testFilesAt(path: string, namespace: string): readonly TestFile[] {
  const found = findManifests(path)
  const files = found.files.map((file) => testFile(file, namespace))
  const some = files.filter(({ tests }) => tests.length > 0)
  if (some.length > 0) return some
  throw new NetctlError({
    code: 'PTE003',
    message: `${path} holds no PolicyTest`,
    try: 'apiVersion: netctl.dev/v1alpha1, kind: PolicyTest: docs/policy-tests.md shows one',
  })
}

function testFile(file: string, namespace: string): TestFile {
  const manifest = readManifest(readManifestText(file), file === '-' ? 'standard input' : file, { namespace })
  expectWhole(manifest)
  const own = (object: ManifestObject): boolean => object.apiVersion.startsWith('netctl.dev/')
  return {
    file,
    tests: manifest.objects.filter((object) => object.kind === 'PolicyTest' && own(object)).map(readPolicyTest),
    beside: manifest.objects.filter((object) => !own(object)),
  }
}

/** Inputs, each read once however many documents are about it. */
class Sources {
  readonly notes: string[] = []
  readonly paths: string[] = []
  readonly #inputs = new Map<string, Promise<PolicyInput>>()
  readonly #scenes = new Map<string, Scene>()
  readonly #flags: InputFlags
  readonly #terminal: Terminal
  readonly #root: string
  readonly #namespace: string

  constructor(flags: InputFlags, terminal: Terminal, root: string, namespace: string) {
    this.#flags = flags
    this.#terminal = terminal
    this.#root = root
    this.#namespace = namespace
  }

  /** Flags say what the tests are about; else the document does, and what stands beside it. */
  async sceneOf(file: string, test: PolicyTest, beside: readonly ManifestObject[]): Promise<Scene> {
    const { filename, snapshot, context, kubeconfig, with: changes = [] } = this.#flags
    const named = filename !== undefined || snapshot !== undefined || context !== undefined || kubeconfig !== undefined
    const paths = named ? [] : test.manifests.map((path) => join(dirname(file), path))
    const key = JSON.stringify([paths, beside.length > 0 ? file : ''])
    const known = this.#scenes.get(key)
    if (known) return known
    const nothing = !named && paths.length === 0
    const base =
      nothing && beside.length > 0
        ? undefined
        : await this.#input(JSON.stringify(paths), () =>
            named || nothing ? readInput(this.#flags, this.#terminal, this.#root) : readPaths(paths, this.#namespace, this.#flags.timeout),
          )
    const top =
      named || changes.length === 0
        ? undefined
        : await this.#input(JSON.stringify(changes), () => readPaths(changes, this.#namespace, this.#flags.timeout))
    const objects = merge(merge(base?.objects ?? [], beside), top?.objects ?? [])
    const whole = distinct({ objects, skipped: new Map(), warnings: [], refused: [...(base?.refused ?? []), ...(top?.refused ?? [])] })
    const scene: Scene = { world: wholeWorld(whole), services: servicesOf(objects), namespace: this.#namespace }
    this.#scenes.set(key, scene)
    return scene
  }

  #input(key: string, read: () => Promise<PolicyInput>): Promise<PolicyInput> {
    let input = this.#inputs.get(key)
    if (!input) {
      input = read().then((found) => {
        this.paths.push(...found.paths)
        this.notes.push(...found.warnings.map(({ file, line, message }) => `! ${file}:${line}: ${message}`))
        return found
      })
      this.#inputs.set(key, input)
    }
    return input
  }
}
