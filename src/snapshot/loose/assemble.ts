/** A snapshot of files that others recorded: each is told by its content, and goes to the host that it is of. */
import { type Json, rec, str } from '../../cluster/items.ts'
import { ParseError } from '../../kernel/source.ts'
import { excerpt } from '../../kernel/words.ts'
import type { FileSource } from '../../system/files.ts'
import { FileError } from '../../system/files.ts'
import { openStore } from '../store.ts'
import { NotUnderstood } from './not-understood.ts'
import { listText } from './objects.ts'
import { ownersBy } from './owners.ts'
import { type Found, recognise } from './recognise.ts'

export interface Assembled {
  readonly files: ReadonlyMap<string, string>
  readonly objects: number
  /** what of the input is not in it, and why */
  readonly leftOut: readonly string[]
  /** of these, how files begin that are not recognised: for whoever asked, and not for the snapshot, as it may be a key */
  readonly beginnings: ReadonlyMap<string, string>
}

interface Dump {
  readonly path: string
  readonly name: string
  readonly text: string
}

/** How many files that are not recognised are named. */
const NAMED = 20

/**
 * The files of a snapshot, made of those of `source`. What is not recognised, damaged or of no known host does not throw: it is left out,
 * and said.
 */
export function assemble(source: FileSource): Assembled {
  const store = openStore(source)
  const leftOut: string[] = []
  const beginnings = new Map<string, string>()
  const dumps: Dump[] = []
  const lists = new Map<string, Map<string, Json>>()
  let strange = 0
  let others = 0
  for (const path of store.files) {
    const result = attempt(() => {
      const text = store.text(path) ?? ''
      return { text, found: text.trim() === '' ? emptyDump(path) : recognise(text) }
    })
    if ('why' in result || result.found === undefined) {
      const what = `${path}: ${'why' in result ? result.why : whyNot(result.text)}`
      if (++strange <= NAMED) leftOut.push(what)
      if ('text' in result && what.endsWith(UNKNOWN)) beginnings.set(what, excerpt(result.text.trim().split('\n')[0] ?? ''))
    } else if (result.found.kind === 'dumps') dumps.push(...result.found.files.map(([name, text]) => ({ path, name, text })))
    else others += addObjects(lists, result.found)
  }
  if (strange > NAMED) leftOut.push(`${strange - NAMED} more files are not recognised`)
  if (others > 0) leftOut.push(`${others} objects of kinds that a snapshot does not keep`)
  const files = new Map<string, string>()
  for (const [file, items] of lists) files.set(`cluster/${file}`, listText(file, [...items.values()]))
  place(dumps, lists, source.name, files, leftOut)
  return { files, objects: [...lists.values()].reduce((sum, items) => sum + items.size, 0), leftOut, beginnings }
}

function attempt<T extends object>(read: () => T): T | { readonly why: string } {
  try {
    return read()
  } catch (error) {
    if (error instanceof NotUnderstood) return { why: `not understood, line ${error.line}: ${error.message}` }
    if (error instanceof ParseError || error instanceof FileError) return { why: error.message }
    if (error instanceof SyntaxError) return { why: 'damaged: it begins like JSON, and is none' }
    throw error
  }
}

/** Of an empty dump nothing but its name can tell what it is: that there are no rules is something to know. */
function emptyDump(path: string): Found | undefined {
  const name = path
    .slice(path.lastIndexOf('/') + 1)
    .replace(/\.gz$|\.txt$/g, '')
    .replaceAll('_', '-')
  return EMPTY.test(name) ? { kind: 'dumps', files: [[`${name}.txt`, '']] } : undefined
}

const EMPTY = /^(?:ip6?tables(?:-nft|-legacy)?-save|ipset-save|conntrack|ipvsadm-save)$/

const UNKNOWN = 'not recognised'

const whyNot = (text: string): string =>
  text.trim() === '' ? 'empty' : /^\[\s*\]\s*$/.test(text) ? 'an empty list, of nobody knows what' : UNKNOWN

/** The same object in two files is one. */
function addObjects(lists: Map<string, Map<string, Json>>, found: Extract<Found, { kind: 'objects' }>): number {
  for (const [file, items] of found.lists) {
    const known = lists.get(file) ?? new Map<string, Json>()
    lists.set(file, known)
    for (const item of items) {
      const key = `${str(rec(item.metadata).namespace) ?? ''}/${str(rec(item.metadata).name)}`
      if (!known.has(key)) known.set(key, item)
    }
  }
  return found.others
}

function place(
  dumps: readonly Dump[],
  lists: ReadonlyMap<string, ReadonlyMap<string, Json>>,
  name: string,
  files: Map<string, string>,
  leftOut: string[],
): void {
  const items = (file: string): readonly Json[] => [...(lists.get(file)?.values() ?? [])]
  const owners = ownersBy(
    items('nodes.json'),
    items('pods.json'),
    name
      .split('/')
      .filter((p) => p !== '')
      .at(-1) ?? '',
  )
  const addresses = addressesByFolder(dumps)
  const hosts = new Map<string, Dump[]>()
  for (const dump of dumps) {
    const owner = owners.of(dump.path, addresses.get(folderOf(dump.path)))
    if (owner === undefined) leftOut.push(`${dump.path}: ${dump.name} of nobody knows which node: put it into a folder of the node's name`)
    else hosts.set(owner, [...(hosts.get(owner) ?? []), dump])
  }
  for (const [host, of] of hosts) for (const [file, text] of settle(host, of, leftOut)) files.set(`${host}/${file}`, text)
}

const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))

function addressesByFolder(dumps: readonly Dump[]): ReadonlyMap<string, readonly string[]> {
  const out = new Map<string, string[]>()
  for (const { path, name, text } of dumps) {
    if (name !== 'ip-addr.json') continue
    const found = [...text.matchAll(/"local":\s*"([0-9a-f.:]+)"/g)].map(([, address]) => address as string)
    out.set(folderOf(path), [...(out.get(folderOf(path)) ?? []), ...found])
  }
  return out
}

/** One file of each name: some are joined, of others the one that says more counts, or the first. */
function settle(host: string, dumps: readonly Dump[], leftOut: string[]): ReadonlyMap<string, string> {
  const out = new Map<string, Dump>()
  for (const dump of dumps) {
    const known = out.get(dump.name)
    if (!known) {
      out.set(dump.name, dump)
      continue
    }
    if (known.text === dump.text) continue
    const join = JOINED[dump.name]
    // the main table alone, and all of them
    const more = /route\.json$/.test(dump.name) && !/"table":/.test(known.text) && /"table":/.test(dump.text)
    const [kept, other] = more ? [dump, known] : [known, dump]
    out.set(dump.name, join ? { ...known, text: join(known.text, dump.text) } : kept)
    if (!join) leftOut.push(`${other.path}: left out, as ${kept.path} is ${dump.name} of ${host} as well`)
  }
  const texts = new Map([...out].map(([name, { text }]) => [name, text]))
  nameVariants(texts)
  withoutHalfRoutes(host, texts, leftOut)
  return texts
}

const lines = (a: string, b: string): string => (a.endsWith('\n') ? a + b : `${a}\n${b}`)
const lists = (a: string, b: string): string => `${JSON.stringify([...JSON.parse(a), ...JSON.parse(b)])}\n`

/** Dumps that are taken family by family, or part by part. */
const JOINED: Readonly<Record<string, (a: string, b: string) => string>> = {
  'ip-neigh.json': lists,
  'conntrack.txt': lines,
  'sysctl.txt': lines,
  'sockets.txt': lines,
}

/** iptables-save.txt is the variant in use (docs/snapshot.md): nft where it has anything. */
function nameVariants(texts: Map<string, string>): void {
  for (const tool of ['iptables', 'ip6tables']) {
    if (texts.has(`${tool}-save.txt`)) continue
    const used =
      [`${tool}-nft-save.txt`, `${tool}-legacy-save.txt`].find((name) => /^-A /m.test(texts.get(name) ?? '')) ??
      [`${tool}-nft-save.txt`, `${tool}-legacy-save.txt`].find((name) => texts.has(name))
    if (used === undefined) continue
    texts.set(`${tool}-save.txt`, texts.get(used) as string)
    texts.delete(used)
  }
}

/** `ip route` shows the main table. Where rules name others, a packet's way can't be told from it. */
function withoutHalfRoutes(host: string, texts: Map<string, string>, leftOut: string[]): void {
  for (const six of ['', '6']) {
    const [file, rules] = [`ip${six}-route.json`, texts.get(`ip${six}-rule.json`)]
    const routes = texts.get(file)
    if (routes === undefined || rules === undefined || /"table":/.test(routes)) continue
    const other = [...rules.matchAll(/"table":\s*"([^"]+)"/g)]
      .map(([, table]) => table as string)
      .find((table) => !['local', 'main', 'default'].includes(table))
    if (other === undefined) continue
    texts.delete(file)
    leftOut.push(
      `${host}/${file}: left out, as it has the main table only, and a rule leads to table ${excerpt(other)}: ip route show table all has them`,
    )
  }
}
