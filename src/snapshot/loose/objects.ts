/** Objects of the API in files of others: Lists, single ones, JSON or YAML, one kind or many in a file. */
import { parseAllDocuments } from 'yaml'
import { arr, type Json, rec, str } from '../../cluster/items.ts'
import { splitApiVersion } from '../../cluster/manifest/kinds.ts'
import { cut } from '../collect/cut.ts'
import { SNAPSHOT_RESOURCES } from '../collect/objects.ts'

export interface LooseObjects {
  /** name of a file in cluster/ → its objects, as a snapshot keeps them */
  readonly lists: ReadonlyMap<string, readonly Json[]>
  /** objects of kinds that a snapshot does not keep */
  readonly others: number
}

const FILES: ReadonlyMap<string, { readonly file: string; readonly apiVersion: string }> = new Map(
  SNAPSHOT_RESOURCES.map(({ group, version, kind, plural }) => [
    `${group}/${kind}`,
    { file: `${plural}${group === '' ? '' : `.${group}`}.json`, apiVersion: group === '' ? version : `${group}/${version}` },
  ]),
)

/** What a snapshot calls the list in a file of this name, which may be without the group (`endpointslices.json`); undefined if it keeps no such list. */
export const listOf = (file: string): string | undefined =>
  [...FILES.values()].map((known) => known.file).find((known) => known === file || known.replace(/\..*/, '.json') === file)

/** The heading of a list of one kind. */
export const listText = (file: string, items: readonly Json[]): string => {
  const [about] = [...FILES].filter(([, f]) => f.file === file)
  const [key, { apiVersion } = { apiVersion: 'v1' }] = about ?? []
  const kind = key?.split('/')[1] ?? ''
  return `${JSON.stringify({ apiVersion, kind: `${kind}List`, items }, undefined, 1)}\n`
}

/** `items` of a PodList have no kind of their own in some printers' output: the list's is theirs. */
export function objectsOf(root: unknown): LooseObjects {
  const lists = new Map<string, Json[]>()
  let others = 0
  const visit = (value: unknown, inherited: Json): void => {
    const object = rec(value)
    const kind = str(object.kind) ?? str(inherited.kind) ?? ''
    const apiVersion = str(object.apiVersion) ?? str(inherited.apiVersion) ?? ''
    if (object.items !== undefined && /List$/.test(kind)) {
      const of = kind === 'List' ? {} : { kind: kind.slice(0, -4), apiVersion }
      for (const item of arr(object.items)) visit(item, of)
      return
    }
    const found = FILES.get(`${splitApiVersion(apiVersion).group}/${kind}`)
    if (!found || str(rec(object.metadata).name) === undefined) {
      others++
      return
    }
    const known = lists.get(found.file)
    const made = cut({ ...object, apiVersion, kind })
    if (known) known.push(made)
    else lists.set(found.file, [made])
  }
  for (const value of Array.isArray(root) ? root : [root]) visit(value, {})
  return { lists, others }
}

/** Does a file begin as a manifest in YAML does? */
export const looksLikeYaml = (head: string): boolean =>
  /^(?:---[^\n]*\n|#[^\n]*\n|\s*\n)*(?:apiVersion|kind|items): *\S*/.test(head) && /^(?:apiVersion|kind):/m.test(head)

/** The objects of all documents in the text; those that are no YAML hold none. */
export function yamlObjectsOf(text: string): LooseObjects {
  const documents = parseAllDocuments(text, { logLevel: 'silent' })
  // with few aliases, against those that unfold without end
  return objectsOf(Array.isArray(documents) ? documents.map((d) => (d.errors.length > 0 ? undefined : d.toJS({ maxAliasCount: 100 }))) : [])
}
