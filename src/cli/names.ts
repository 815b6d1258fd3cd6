/** What a shell may offer for the word at its cursor, where that names something of a cluster: data in, words out. */
import { endpointChoices, portChoices } from '../cluster/choices.ts'
import { isKind } from '../cluster/endpoint-syntax.ts'
import type { Inventory } from '../cluster/inventory.ts'
import { fullName, namesOf } from '../cluster/lookup.ts'
import { parseIp } from '../net/ip.ts'

export type NameKind = 'endpoints' | 'nodes' | 'namespaces' | 'contexts'
export const NAME_KINDS: readonly NameKind[] = ['endpoints', 'nodes', 'namespaces', 'contexts']

/** A command line as far as it is typed. */
export interface Typed {
  /** what there is of the word to complete */
  readonly word: string
  /** is it the first endpoint of the line? */
  readonly first: boolean
  /** manifests stand in for a cluster */
  readonly manifests: boolean
  readonly snapshot: string | undefined
  readonly context: string | undefined
  readonly kubeconfig: string | undefined
  readonly namespace: string | undefined
}

/** Reads the words of a command line as they stand there, quotes and all; the last one is where the cursor stands, and may be empty. */
export function readTyped(line: readonly string[]): Typed {
  // no name has one; a quote that is still open is the shell's to close
  const words = line.map((word) => word.replace(/["'\\]/g, ''))
  const before = words.slice(0, -1)
  const said = (...flags: readonly string[]): string | undefined => {
    const at = before.findLastIndex((word) => flags.some((flag) => word === flag || word.startsWith(`${flag}=`)))
    const [, value] = /^--[^=]+=(.*)$/s.exec(before[at] ?? '') ?? []
    return at < 0 ? undefined : (value ?? before[at + 1])
  }
  const isEndpoint = (word: string): boolean => parseIp(word) !== undefined || word.split('/').slice(0, -1).some(isKind)
  return {
    word: (words.at(-1) ?? '').replace(/^--[\w-]+=/, ''),
    first: !before.some(isEndpoint),
    manifests: said('-f', '--filename') !== undefined,
    snapshot: said('--snapshot'),
    context: said('--context'),
    kubeconfig: said('--kubeconfig'),
    namespace: said('-n', '--namespace'),
  }
}

/** Names that the word can become. Those that end in `/` or `:` go on. Others than plain ones are left out: shells take them as they are. */
export function offered(kind: Exclude<NameKind, 'contexts'>, inventory: Inventory, typed: Typed): readonly string[] {
  switch (kind) {
    case 'endpoints':
      return typed.word.includes(':') ? plain(ports(inventory, typed)) : endpoints(inventory, typed)
    case 'nodes': {
      // `--nodes n1,n2`
      const done = typed.word.slice(0, typed.word.lastIndexOf(',') + 1)
      return plain(
        beginning(
          typed.word,
          namesOf(inventory, 'node').map(({ name }) => done + name),
        ),
      )
    }
    case 'namespaces':
      return plain(beginning(typed.word, inventory.cluster.namespaces))
  }
}

/** The names that the word can become. */
export const beginning = (word: string, names: readonly string[]): readonly string[] => names.filter((name) => name.startsWith(word))

/** The names that a shell takes as they are, without quotes. */
export const plain = (names: readonly string[]): readonly string[] => names.filter((name) => /^[\w.,:/@-]+$/.test(name))

const WORKLOADS = ['deploy', 'sts', 'ds', 'job'] as const
/** nobody reads more, and each is looked up */
const FEW = 50

/** As paths are completed: up to the next `/`. */
function endpoints(inventory: Inventory, { word, first, namespace }: Typed): readonly string[] {
  const choices = endpointChoices(inventory)
  const named = [
    ...(first ? choices.sources : choices.destinations).map(({ value }) => value),
    ...WORKLOADS.flatMap((type) => namesOf(inventory, type).map((one) => fullName(type, one.namespace, one.name))),
  ]
  const short = named.flatMap((name) => {
    const [kind, place, rest] = name.split('/')
    return rest !== undefined && place === namespace ? [`${kind}/${rest}`] : []
  })
  const all = plain(beginning(word, [...named, ...short]))
  for (let done = word; ; ) {
    const next = [
      ...new Set(
        beginning(done, all).map((name) => {
          const slash = name.indexOf('/', done.length)
          return slash < 0 ? name : name.slice(0, slash + 1)
        }),
      ),
    ]
    const [only = ''] = next
    if (next.length === 1 && only.endsWith('/')) {
      done = only
      continue
    }
    if (first || next.length > FEW) return next
    return next.map((name) => (!name.endsWith('/') && portsOf(inventory, name, namespace).length > 0 ? `${name}:` : name))
  }
}

function ports(inventory: Inventory, { word, namespace }: Typed): readonly string[] {
  const name = word.slice(0, word.indexOf(':'))
  return beginning(
    word,
    portsOf(inventory, name, namespace).map((value) => name + value.slice(value.lastIndexOf(':'))),
  )
}

/** Of a destination, where it has several: one alone need not be said. */
function portsOf(inventory: Inventory, name: string, namespace = 'default'): readonly string[] {
  try {
    return portChoices(inventory, name, { namespace }).map(({ value }) => value)
  } catch {
    return []
  }
}
