import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { extract, type Header } from 'tar-stream'
import { FileError, type FileSource, isForeign, LIMITS, type Limits } from './files.ts'
import { megabytes } from './files-inflate.ts'
import { memoryFiles } from './files-memory.ts'

/** bytes: Node's own 16 KiB take twice the time over archives of hundreds of megabytes */
const PIECE = 256 * 1024

/**
 * The files of a `.tar` or `.tar.gz`, without unpacking it to disk. Names that climb out, links and devices end it with an error;
 * so do more entries, bytes or compression than a snapshot can have. A single top folder (`tar czf s.tgz s/`) is left off the names.
 */
export async function openArchive(
  path: string,
  packed: { readonly gzip: boolean; readonly size: number },
  limits: Limits = LIMITS,
): Promise<FileSource> {
  const content = new Map<string, Buffer>()
  const untar = extract()
  let entries = 0
  let unpacked = 0
  const bounded = async function* (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      unpacked += chunk.length
      if (unpacked > limits.archive) throw new FileError(path, `unpacks to more than ${megabytes(limits.archive)}: refused`)
      if (unpacked > limits.ratioFrom && unpacked > packed.size * limits.ratio)
        throw new FileError(path, `unpacks to more than ${limits.ratio} times its size: refused`)
      yield chunk
    }
  }
  const file = createReadStream(path, { highWaterMark: PIECE })
  const done = (error?: Error | null) => error && untar.destroy(error)
  if (packed.gzip) pipeline(file, createGunzip({ chunkSize: PIECE }), bounded, untar, done)
  else pipeline(file, bounded, untar, done)
  try {
    for await (const entry of untar) {
      const head: Header = entry.header
      if (++entries > limits.entries) throw new FileError(path, `more than ${limits.entries} entries: this is no snapshot`)
      const name = checkName(path, head)
      const size = head.size ?? 0
      if (size > limits.file) throw new FileError(path, `${head.name} is larger than ${megabytes(limits.file)}`)
      if (name === undefined || isForeign(name)) {
        entry.resume()
        continue
      }
      const chunks: Buffer[] = []
      for await (const chunk of entry) chunks.push(chunk as Buffer)
      content.set(name, Buffer.concat(chunks))
    }
  } catch (error) {
    if (error instanceof FileError) throw error
    throw new FileError(path, `damaged archive: ${(error as Error).message}`)
  }
  if (entries === 0) throw new FileError(path, 'no tar archive, or an empty one')
  return memoryFiles(path, withoutTop(content), limits)
}

/** The name to use for an entry; undefined for a folder. */
function checkName(path: string, head: Header): string | undefined {
  const shown = JSON.stringify(head.name.slice(0, 200))
  if (head.type !== 'file' && head.type !== 'contiguous-file' && head.type !== 'directory') {
    throw new FileError(path, `holds ${shown}, which is a ${head.type ?? 'thing'}: an archive of a snapshot has files and folders only`)
  }
  const parts = head.name.split('/').filter((part) => part !== '' && part !== '.')
  if (head.name.startsWith('/') || head.name.includes('\\') || head.name.includes('\0') || parts.includes('..')) {
    throw new FileError(path, `holds ${shown}, a name that leads out of the archive: refused`)
  }
  return head.type === 'directory' ? undefined : parts.join('/')
}

function withoutTop(content: ReadonlyMap<string, Buffer>): ReadonlyMap<string, Buffer> {
  const tops = new Set<string>()
  for (const name of content.keys()) {
    // what macOS and editors add beside the folder does not matter
    if (!name.startsWith('._')) tops.add(name.slice(0, name.indexOf('/') + 1))
  }
  const [top] = tops
  if (tops.size !== 1 || !top || top === 'nodes/' || top === 'cluster/') return content
  return new Map([...content].filter(([name]) => name.startsWith(top)).map(([name, bytes]) => [name.slice(top.length), bytes]))
}
