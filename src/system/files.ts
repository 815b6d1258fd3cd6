/**
 * Where the files of a snapshot come from: a folder, an archive, or memory. The rest of the program sees names and bytes only.
 */

/** Named files, read one at a time. Names are relative, with `/`, sorted, as they are stored (`iptables-save.txt.gz`). */
export interface FileSource {
  /** what the user called it */
  readonly name: string
  readonly files: readonly string[]
  /** Bytes of a file; those of a `.gz` unpacked. Throws FileError. Asking for a name that is not in `files` is a bug of the caller. */
  read(name: string): Buffer
  /** Bytes of a file as it is stored, of a `.gz` packed; 0 if that can't be told. */
  size(name: string): number
}

/** Bounds on what is read: everything in a snapshot is hostile. */
export interface Limits {
  readonly entries: number
  /** bytes that an archive unpacks to, which are held in memory; files inside may be compressed once more */
  readonly archive: number
  /** bytes of all files together, unpacked; they are read one at a time */
  readonly total: number
  /** bytes of one file, unpacked */
  readonly file: number
  /** how many times its packed size a file may have, once it is larger than `ratioFrom` */
  readonly ratio: number
  readonly ratioFrom: number
}

export const LIMITS: Limits = {
  // ten thousand pods have ten files each
  entries: 500_000,
  archive: 4 * 2 ** 30,
  total: 32 * 2 ** 30,
  file: 512 * 2 ** 20,
  ratio: 1000,
  ratioFrom: 64 * 2 ** 20,
}

/** Something on disk, or inside an archive, that can't or mustn't be read. */
export class FileError extends Error {
  /** path of the file as the user can find it; a name inside the source where `inside` */
  readonly path: string
  /** `path` names a file inside the snapshot */
  readonly inside: boolean
  /** what the user may have meant */
  readonly candidates: readonly string[]
  /** what to do, where there is nothing to choose from */
  readonly advice: string | undefined
  constructor(
    path: string,
    message: string,
    options: { readonly inside?: boolean; readonly candidates?: readonly string[]; readonly advice?: string } = {},
  ) {
    super(message)
    this.name = 'FileError'
    this.path = path
    this.inside = options.inside ?? false
    this.candidates = options.candidates ?? []
    this.advice = options.advice
  }
}

const FOREIGN = new Set(['truth.jsonl', 'meta.json', 'fault.json', 'links.json'])

/** Notes that the recording of the captures leaves beside the dumps; they are no part of a snapshot and are never opened. */
export function isForeign(path: string): boolean {
  if (path.includes('after-probing') && path.split('/').includes('after-probing')) return true
  const name = path.slice(path.lastIndexOf('/') + 1)
  return FOREIGN.has(name.endsWith('.gz') ? name.slice(0, -3) : name)
}
