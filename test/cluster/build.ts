/**
 * What a cluster is made of, made once: Kubernetes from its Go modules, etcd, containerd, runc and the CNI plugins from Debian's packages (unpacked, not
 * installed), and a few small images. Kept in a cache outside of the repository ($NETCTL_CLUSTER_CACHE), each part under the hash of what it is made of.
 *
 *   node test/cluster/build.ts [calico]       makes what is lacking; whoever needs it meanwhile waits
 *
 * Calico is made only for who asks for it, from a git repository of it ($NETCTL_CALICO): it is no Go module that could be fetched.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { goFor } from './go.ts'
import { writeImage } from './image.ts'
import { type Image, images } from './images.ts'
import type { Built } from './types.ts'

const here = import.meta.dirname
const cache = process.env.NETCTL_CLUSTER_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'netctl-cluster')

const kubePrograms = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kube-proxy', 'kubectl']
const debianPrograms = ['etcd', 'containerd', 'containerd-shim-runc-v2', 'ctr', 'runc']
/** what the one program of Calico is called as */
const calicoPrograms = ['calico-ipam', 'calicoctl']
const packages = ['etcd-server', 'containerd', 'runc', 'containernetworking-plugins']

interface Part {
  readonly name: string
  /** what is being done, for those who wait */
  readonly doing: string
  /** what it is made of; what differs in any of it is another part */
  readonly of: readonly string[]
  make(folder: string): Promise<void>
}

const machine = [process.arch, readFileSync('/etc/os-release', 'utf8')]

const kube: Part = {
  name: 'kube',
  doing: 'building Kubernetes, which takes some ten minutes of processor time',
  of: [process.arch, ...contents('kube')],
  make: async (folder) => {
    const [, version = ''] = /k8s\.io\/kubernetes (v\S+)/.exec(readFileSync(join(here, 'kube/go.mod'), 'utf8')) ?? []
    const [major, minor] = version.slice(1).split('.')
    // nodes tell it, and kubectl wants to know it
    const said = Object.entries({ gitVersion: version, gitMajor: major, gitMinor: minor }).map(
      ([k, v]) => `-X k8s.io/component-base/version.${k}=${v}`,
    )
    await goBuild(join(here, 'kube'), ['-ldflags', `-s -w ${said.join(' ')}`, '-o', join(folder, 'kube'), '.'])
  },
}

const pods: Part = {
  name: 'pods',
  doing: "building the pods' programs",
  of: [process.arch, ...contents('pods')],
  make: (folder) => goBuild(join(here, 'pods'), ['-ldflags', '-s -w', '-o', `${folder}/`, './...']),
}

const debian: Part = {
  name: 'debian',
  doing: `unpacking ${packages.join(', ')}`,
  of: [...machine, ...packages],
  make: async (folder) => {
    const download = () => execa('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', ...packages], { cwd: folder })
    await download().catch(async () => {
      await execa('apt-get', ['-qq', 'update'])
      await download()
    })
    for (const name of readdirSync(folder)) {
      await execa('dpkg', ['-x', name, '.'], { cwd: folder })
      rmSync(join(folder, name))
    }
  },
}

/** All of Calico in one file, as its image has it, and its custom resources; of the commit that the repository's HEAD is. */
function calicoOf(repository: string): Part {
  const [commit, version] = [
    ['rev-parse', 'HEAD'],
    ['describe', '--tags', '--always'],
  ].map((args) => execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8' }).trim()) as [string, string]
  return {
    name: 'calico',
    doing: `building Calico ${version}, which takes some six minutes of processor time`,
    of: [process.arch, commit],
    make: async (folder) => {
      const source = join(folder, 'source')
      mkdirSync(source)
      await execa('sh', ['-c', 'git -C "$1" archive "$2" | tar x -C "$3"', 'sh', repository, commit, source])
      const flags = `-s -w -X github.com/projectcalico/calico/pkg/buildinfo.Version=${version}`
      await goBuild(source, ['-ldflags', flags, '-o', join(folder, 'calico'), './cmd/calico'])
      renameSync(join(source, 'manifests/crds.yaml'), join(folder, 'crds.yaml'))
      rmSync(source, { recursive: true })
    },
  }
}

/** One folder of them all: hard links, and the images. */
const wholeOf = (parts: readonly Part[], calico?: Part): Part => ({
  name: 'cluster',
  doing: 'writing the images',
  of: parts.map(keyOf).concat(
    contents('.'),
    images.map(({ programs }) => programs.map(identity).join()),
  ),
  make: async (folder) => {
    const bin = join(folder, 'bin')
    for (const name of [bin, join(folder, 'images')]) mkdirSync(name)
    linkSync(join(placeOf(kube), 'kube'), join(bin, 'kube'))
    for (const name of kubePrograms) symlinkSync('kube', join(bin, name))
    for (const name of debianPrograms) {
      // runc is in sbin, in newer releases in bin
      const folder = existsSync(join(placeOf(debian), 'usr/sbin', name)) ? 'usr/sbin' : 'usr/bin'
      linkSync(join(placeOf(debian), folder, name), join(bin, name))
    }
    await execa('cp', ['-al', join(placeOf(debian), 'usr/lib/cni'), join(folder, 'cni')])
    if (calico) {
      for (const name of ['calico', 'crds.yaml']) linkSync(join(placeOf(calico), name), join(bin, name))
      for (const name of calicoPrograms) symlinkSync('calico', join(bin, name))
    }
    for (const image of images) await writeImage(archiveOf(folder, image), image.name, image.files(placeOf(pods)), image.entrypoint)
  },
})

/** in the order in which they are made */
function partsOf(withCalico: boolean): readonly Part[] {
  const calico = withCalico ? calicoOf(calicoRepository()) : undefined
  const parts = [debian, pods, kube, ...(calico ? [calico] : [])]
  return [...parts, wholeOf(parts, calico)]
}

function calicoRepository(): string {
  const { NETCTL_CALICO: repository } = process.env
  if (!repository) throw new Error('Calico is built from a git repository of it, whose path NETCTL_CALICO names')
  return repository
}

/** All of it, at once if it is there; else made by a process that no other one does it beside. Says on stderr what it does. */
export async function built({ calico = false }: { readonly calico?: boolean } = {}): Promise<Built> {
  const parts = partsOf(calico)
  const whole = parts.at(-1) as Part
  if (!isThere(whole)) {
    mkdirSync(cache, { recursive: true })
    say(`${cache} lacks what is wanted now: it is built, or whoever builds it is waited for`)
    // the kernel lets go of the lock if its holder is killed
    const alone = [process.execPath, import.meta.filename, 'alone', ...(calico ? ['calico'] : [])]
    await execa('flock', ['--no-fork', join(cache, 'lock'), ...alone], { stdio: ['ignore', 2, 2] })
  }
  const folder = placeOf(whole)
  for (const part of parts) if (isThere(part)) utimesSync(placeOf(part), new Date(), new Date())
  return {
    bin: join(folder, 'bin'),
    cni: join(folder, 'cni'),
    pause: 'netctl.test/pause:1',
    images: images.map((i) => archiveOf(folder, i)),
  }
}

/** Alone, as the lock says. A part is made beside its place and renamed, so that what is there is whole. */
async function makeAll(withCalico: boolean): Promise<void> {
  for (const name of readdirSync(cache))
    if (name.startsWith('making-') || isOld(join(cache, name))) rmSync(join(cache, name), { recursive: true })
  for (const part of partsOf(withCalico)) {
    if (isThere(part)) {
      say(`${part.name}: kept from before`)
      continue
    }
    say(`${part.name}: ${part.doing}`)
    const began = performance.now()
    await made(part)
    say(`${part.name}: ${((performance.now() - began) / 1000).toFixed(0)} s`)
  }
}

/** What is fetched for it may fail to come, for a moment. */
async function made(part: Part, tries = 3): Promise<void> {
  const folder = mkdtempSync(join(cache, 'making-'))
  try {
    await part.make(folder)
  } catch (error) {
    if (tries === 1) throw error
    say(`${part.name}: once more in 15 s: ${error instanceof Error ? error.message.split('\n', 1)[0] : error}`)
    await sleep(15_000)
    return made(part, tries - 1)
  }
  renameSync(folder, placeOf(part))
}

async function goBuild(module: string, args: readonly string[]): Promise<void> {
  const { program, env } = goFor(module)
  // not to write into a folder that is taken away, after a kill
  await execa('setpriv', ['--pdeathsig', 'KILL', program, 'build', ...args], { cwd: module, env, stdio: ['ignore', 2, 2] })
}

function keyOf({ name, of }: Part): string {
  return `${name}-${createHash('sha256').update(of.join('\0')).digest('hex').slice(0, 12)}`
}

function placeOf(part: Part): string {
  return join(cache, keyOf(part))
}

function isThere(part: Part): boolean {
  return existsSync(placeOf(part))
}

function archiveOf(folder: string, { name }: Image): string {
  return join(folder, 'images', `${name.replace(/.*\/|:.*/g, '')}.tar`)
}

/** files of a folder of ours, all the way down, with their names; of this one, those that say how images are made */
function contents(folder: string): readonly string[] {
  const names =
    folder === '.' ? ['build.ts', 'image.ts', 'images.ts'] : readdirSync(join(here, folder), { recursive: true, encoding: 'utf8' }).sort()
  return names.filter((n) => /\.\w+$/.test(n)).flatMap((n) => [n, readFileSync(join(here, folder, n), 'utf8')])
}

function identity(program: string): string {
  const { size, mtimeMs } = statSync(program)
  return `${program} ${size} ${mtimeMs}`
}

/** not used for a month */
function isOld(path: string): boolean {
  return Date.now() - statSync(path).mtimeMs > 30 * 86_400_000
}

const say = (what: string): void => void process.stderr.write(`test cluster: ${what}\n`)

if (import.meta.main) {
  const calico = process.argv.includes('calico')
  await (process.argv.includes('alone') ? makeAll(calico) : built({ calico }))
}
