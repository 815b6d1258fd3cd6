import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './run.ts'

/** `made` in a node's folder is such a list, from before its first boot. */
const list = (upper: string) => run(['find', upper, '-printf', '%P\\t%y\\t%s\\t%T@\\n'])

/** What differs on a node's disk from what it was before its first boot: `+` come, `~` changed, `-` gone, with paths; without logs. */
export async function diskChanges(folder: string): Promise<readonly string[]> {
  const before = parse(await readFile(join(folder, 'made'), 'utf8'))
  const after = parse(await list(join(folder, 'upper')))
  const signs = [...new Set([...before.keys(), ...after.keys()])].map((path) => [sign(before.get(path), after.get(path)), path] as const)
  return signs
    .filter(([s, path]) => s !== undefined && !path.startsWith('var/log/'))
    .map(([s, path]) => `${s} ${path}`)
    .sort((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1))
}

/** A whiteout (a character device in the upper folder) hides a file of the machine's own, overlayfs.rst */
function sign(before: string | undefined, after: string | undefined): string | undefined {
  const had = before !== undefined && !before.startsWith('c')
  const has = after !== undefined && !after.startsWith('c')
  if (before === after) return undefined
  if (!has) return '-'
  return had ? '~' : '+'
}

/** path → kind, size and time; a folder's own time says only that something in it has come or gone */
function parse(text: string): ReadonlyMap<string, string> {
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t'))
      .map(([path = '', kind = '', ...rest]) => [path, kind === 'd' ? kind : [kind, ...rest].join(' ')]),
  )
}
