/** What the collector of a node (bin/node) prints: the names and bytes of dumps, and what could not be had. */

import { OBJECT_NAME } from '../../cluster/object-name.ts'

export interface NodeStream {
  /** as the node calls itself, or the user; undefined if the stream ended before it said so */
  readonly node: string | undefined
  /** name in the snapshot (`nodes/n1/ip-addr.json`, `pods/shop_web/…`) → its bytes */
  readonly files: ReadonlyMap<string, Buffer>
  /** what is missing and why */
  readonly notes: readonly string[]
  /** the stream came to its end */
  readonly whole: boolean
}

/** Login shells may greet before the first line. */
const BANNER = 64 * 1024
const FIRST_LINE = 'netctl-collect 1\n'
/** `pods/-_UID`: of a pod whose name the node can't tell */
const FILE =
  /^(?:node|(pods\/(?:-|[a-z0-9][a-z0-9-]{0,62})_[a-z0-9][a-z0-9.-]{0,252}))\/([A-Za-z0-9][A-Za-z0-9_-]{0,60}\.(?:txt|json)(?:\.gz)?)$/

/**
 * Reads a stream, also one that was cut off: what came whole counts. The other end may be hostile: names lead nowhere but into the folder of
 * the node and those of pods. `name`: what the node is called in the snapshot, where the user said so.
 */
export function readStream(bytes: Buffer, name?: string): NodeStream {
  const files = new Map<string, Buffer>()
  const notes: string[] = []
  let node = name
  const result = (whole: boolean): NodeStream => {
    if (!whole) dropHalves(files)
    return { node, files, notes, whole }
  }
  const start = bytes.subarray(0, BANNER).indexOf(FIRST_LINE)
  if (start < 0) return result(false)
  for (let at = start + FIRST_LINE.length; ; ) {
    const newline = bytes.indexOf(10, at)
    if (newline < 0) return result(false)
    const line = bytes.toString('utf8', at, Math.min(newline, at + 1000))
    at = newline + 1
    if (line === 'end') return result(true)
    const [, word, rest = ''] = /^(node|note|file) (.*)$/.exec(line) ?? []
    if (word === 'node') {
      if (node === undefined && OBJECT_NAME.test(rest)) node = rest
    } else if (word === 'note') {
      notes.push(rest)
    } else {
      const [, path = '', size = ''] = /^(\S+) (\d{1,10})$/.exec(rest) ?? []
      const [, pod, file] = FILE.exec(path) ?? []
      const end = at + Number(size)
      // where the next line begins can't be told any more
      if (word === undefined || file === undefined || node === undefined || end >= bytes.length) return result(false)
      files.set(`${pod ?? `nodes/${node}`}/${file}`, bytes.subarray(at, end))
      at = end + 1
    }
  }
}

/** That a variant of iptables has no tables is an answer only beside nft's list, which comes later. */
const RULES = /\/ip6?tables(?:-\w+)?-save\.txt$/

/** What can't be read without what did not come any more. */
function dropHalves(files: Map<string, Buffer>): void {
  const names = [...files.keys()]
  // a pod without dumps of rules counts as one without rules: half of a pod's folder is worse than none
  const pod = /^pods\/[^/]+\//.exec(names.at(-1) ?? '')?.[0]
  for (const name of names) {
    const folder = name.slice(0, name.lastIndexOf('/'))
    const listed = files.has(`${folder}/nft.txt`) || files.has(`${folder}/nft.txt.gz`)
    if ((pod !== undefined && name.startsWith(pod)) || (RULES.test(name) && files.get(name)?.length === 0 && !listed)) files.delete(name)
  }
}
