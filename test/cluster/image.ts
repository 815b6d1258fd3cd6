/** Container images without a registry or a builder: OCI image layouts as tar archives, of one layer each, for `ctr images import`. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { type Header, pack } from 'tar-stream'

/** Path without a leading slash → the content of a program, or where a symbolic link points. */
export type Files = ReadonlyMap<string, Buffer | { readonly to: string }>

/** Programs of this machine, each at its own path, with the libraries that it loads (ldd) and more files as they are. */
export function programFiles(programs: readonly string[], more: readonly string[] = []): Files {
  const libraries = new Set([...programs, ...more].flatMap(librariesOf))
  return new Map([...programs, ...more, ...libraries].map((path) => [path.slice(1), readFileSync(realpathSync(path))]))
}

/** one that is static or no program has none */
function librariesOf(path: string): readonly string[] {
  try {
    const printed = execFileSync('ldd', [path], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return [...printed.matchAll(/(\/\S+) \(0x/g)].map(([, library]) => library as string)
  } catch {
    return []
  }
}

/** Writes an archive of one image: `name` with its tag, which the archive brings along. */
export async function writeImage(file: string, name: string, files: Files, entrypoint: readonly string[]): Promise<void> {
  const layer = await tarOf([...files].map(([path, content]) => [path, content, 0o755]))
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch
  const config = json({
    architecture,
    os: 'linux',
    config: { Entrypoint: entrypoint, Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'] },
    rootfs: { type: 'layers', diff_ids: [digest(layer)] },
  })
  const type = 'application/vnd.oci.image'
  const manifest = json({
    schemaVersion: 2,
    mediaType: `${type}.manifest.v1+json`,
    config: { mediaType: `${type}.config.v1+json`, ...described(config) },
    layers: [{ mediaType: `${type}.layer.v1.tar`, ...described(layer) }],
  })
  const index = json({
    schemaVersion: 2,
    manifests: [
      {
        mediaType: `${type}.manifest.v1+json`,
        ...described(manifest),
        platform: { os: 'linux', architecture },
        // containerd's own annotation holds the whole name, OCI's the tag
        annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name.split(':')[1] },
      },
    ],
  })
  const blobs = [config, layer, manifest].map((b) => [`blobs/${digest(b).replace(':', '/')}`, b, 0o644] as const)
  writeFileSync(file, await tarOf([['oci-layout', json({ imageLayoutVersion: '1.0.0' }), 0o644], ['index.json', index, 0o644], ...blobs]))
}

type Entry = readonly [path: string, content: Buffer | { readonly to: string }, mode: number]

/** In the order given, with the folders above; the same bytes for the same files. */
function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack()
  const add = (header: Pick<Header, 'name' | 'type' | 'mode'> & { linkname?: string }, content: Uint8Array = Buffer.alloc(0)): void =>
    void tar.entry({ ...header, mtime: new Date(0), uid: 0, gid: 0 }, content)
  const folders = new Set(entries.flatMap(([path]) => path.split('/').map((_, i, parts) => parts.slice(0, i).join('/'))))
  folders.delete('')
  for (const name of folders) add({ name, type: 'directory', mode: 0o755 })
  for (const [name, content, mode] of entries) {
    if (Buffer.isBuffer(content)) add({ name, type: 'file', mode }, content)
    else add({ name, type: 'symlink', mode: 0o777, linkname: content.to })
  }
  tar.finalize()
  return buffer(tar)
}

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value))

const digest = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

const described = (bytes: Buffer): object => ({ digest: digest(bytes), size: bytes.length })
