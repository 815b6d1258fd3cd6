import { arr, type Json, rec, str } from '../cluster/items.ts'
import { RESOURCES, type Resource } from '../cluster/manifest/kinds.ts'
import { ExitCode, NetctlError } from '../error.ts'
import type { Answer, Ask, Get } from './requests.ts'
import { refusedOfTiers } from './tiers.ts'

/** All objects of one kind. */
export interface Listed {
  readonly resource: Resource
  readonly values: readonly Json[]
}

/** What a running cluster holds. */
export interface Live {
  readonly lists: readonly Listed[]
  /** what could matter and was not read; one sentence each, no full stop */
  readonly warnings: readonly string[]
}

export const PODS: Resource = { group: '', version: 'v1', plural: 'pods', kind: 'Pod' }
export const NODES: Resource = { group: '', version: 'v1', plural: 'nodes', kind: 'Node' }

/** kubectl asks for as many at a time */
const PAGE = 500
/** Groups whose policies decide about packets in a way that nothing here knows. */
const FOREIGN = ['cilium.io', 'crd.antrea.io']
/** Groups that every API server has. */
const BUILT_IN = new Set(['', 'networking.k8s.io', 'discovery.k8s.io'])

/** With what the rights do not reach to, and what could not be had. */
export interface Allowed extends Live {
  /** `list pods` */
  readonly refused: readonly string[]
  /** kinds of which no list, or not the whole of it, came: never all of them */
  readonly failed: readonly { readonly resource: Resource; readonly error: NetctlError }[]
}

/** Everything of a cluster that policies need, or KUB006 with every right that lacks (exit 3). Throws NetctlError as `listAllowed`. */
export async function listObjects(ask: Ask): Promise<Live> {
  const { lists, warnings, refused, failed } = await listAllowed(ask, RESOURCES)
  if (failed[0]) throw failed[0].error
  if (refused.length > 0) throw forbidden(refused)
  return { lists, warnings }
}

/**
 * Objects of these kinds as they are now (no resourceVersion: from the quorum, not from a cache). Kinds that the cluster does not serve are left out;
 * of Calico's, those of its API server are taken before the stored ones. Throws NetctlError KUB006 if it may not be asked what it serves; KUB003 to KUB007
 * if nothing can be listed.
 */
export async function listAllowed(ask: Ask, resources: readonly Resource[]): Promise<Allowed> {
  const warnings: string[] = []
  const served = await servedResources(ask, resources, warnings)
  const refused: string[] = []
  const failed: { readonly resource: Resource; readonly error: NetctlError }[] = []
  const lists = await Promise.all(
    served.map(async (resource): Promise<readonly Listed[]> => {
      try {
        const values = await listAll(ask, resource)
        if (values === undefined) refused.push(`list ${qualified(resource)}`)
        return values === undefined ? [] : [{ resource, values }]
      } catch (error) {
        if (!(error instanceof NetctlError)) throw error
        failed.push({ resource, error })
        return []
      }
    }),
  )
  // a server that says nothing at all, or to whom we are nobody
  const fatal = failed.find(({ error }) => failed.length === served.length || error.code === 'KUB003')
  if (fatal) throw fatal.error
  return { lists: lists.flat(), warnings, refused: await refusedOfTiers(ask, lists.flat(), refused), failed }
}

async function servedResources(get: Get, resources: readonly Resource[], warnings: string[]): Promise<readonly Resource[]> {
  const answer = await get('/apis')
  if (answer.status === 403) throw forbidden(['get /apis'])
  const groups = new Map<string, readonly string[]>()
  for (const group of arr(expectOk(answer, '/apis').groups).map(rec)) {
    groups.set(
      str(group.name) ?? '',
      arr(group.versions).flatMap((v) => str(rec(v).version) ?? []),
    )
  }
  for (const group of FOREIGN)
    if (groups.has(group)) warnings.push(`policies of ${group} are not understood: what they do to packets is left out`)

  const optional = new Map<string, Set<string>>()
  for (const { group, version } of resources) if (!BUILT_IN.has(group)) optional.set(group, (optional.get(group) ?? new Set()).add(version))
  const plurals = new Map<string, ReadonlySet<string>>()
  for (const [group, known] of optional) {
    const has = groups.get(group) ?? []
    for (const version of has.filter((v) => known.has(v))) {
      const names = await pluralsOf(get, `/apis/${group}/${version}`)
      if (names !== undefined) plurals.set(`${group}/${version}`, names)
      else if (group === 'projectcalico.org') warnings.push("Calico's API server does not answer: its objects are read as they are stored")
      else warnings.push(`${group}/${version} does not answer: its objects are not read`)
    }
    if (has.length > 0 && !has.some((v) => known.has(v)))
      warnings.push(`${group} is served as ${has.join(', ')} only: not understood, and left out`)
  }
  const served = resources.filter(({ group, version, plural }) => BUILT_IN.has(group) || plurals.get(`${group}/${version}`)?.has(plural))
  const byApi = new Set(served.flatMap(({ group, plural }) => (group === 'projectcalico.org' ? [plural] : [])))
  return served.filter(({ group, plural }) => group !== 'crd.projectcalico.org' || !byApi.has(plural))
}

/** What a version of a group serves; undefined if whoever serves it is down. */
async function pluralsOf(get: Get, path: string): Promise<ReadonlySet<string> | undefined> {
  const answer = await get(path)
  if (answer.status === 403) throw forbidden([`get ${path}`])
  if (answer.status === 404) return new Set()
  if (answer.status === 502 || answer.status === 503 || answer.status === 504) return undefined
  return new Set(arr(expectOk(answer, path).resources).flatMap((one) => str(rec(one).name) ?? []))
}

/** Which of them, if not all. */
export interface Among {
  readonly namespace?: string
  readonly labelSelector?: string
}

/** All objects of a kind, page by page; undefined if the right to list them lacks. Throws NetctlError KUB003 to KUB007. */
export async function listAll(get: Get, resource: Resource, among: Among = {}): Promise<readonly Json[] | undefined> {
  const { group, version, plural, kind } = resource
  const place = among.namespace === undefined ? plural : `namespaces/${encodeURIComponent(among.namespace)}/${plural}`
  const path = `${group === '' ? '/api' : `/apis/${group}`}/${version}/${place}`
  const selector = among.labelSelector === undefined ? '' : `&labelSelector=${encodeURIComponent(among.labelSelector)}`
  const values: Json[] = []
  let query = `?limit=${PAGE}${selector}`
  for (let whole = false; ; ) {
    const answer = await get(path + query)
    if (answer.status === 403) return undefined
    // gone between the two questions
    if (answer.status === 404) return []
    if (answer.status === 410 && !whole) {
      // what the next page belongs to was compacted away: all at once, then
      whole = true
      values.length = 0
      query = selector.replace('&', '?')
      continue
    }
    const list = expectOk(answer, path)
    const apiVersion = group === '' ? version : `${group}/${version}`
    for (const item of arr(list.items)) values.push({ ...rec(item), apiVersion, kind })
    const next = str(rec(list.metadata).continue)
    if (!next) return values
    if (query.endsWith(`&continue=${encodeURIComponent(next)}`)) throw noSense(path, 'was answered with the same page again')
    query = `?limit=${PAGE}${selector}&continue=${encodeURIComponent(next)}`
  }
}

/** `tiers.projectcalico.org`, `pods`: as kubectl takes it, and as files of a snapshot are called. */
export const qualified = ({ plural, group }: Resource): string => (group === '' ? plural : `${plural}.${group}`)

function forbidden(rights: readonly string[]): NetctlError {
  return new NetctlError({
    code: 'KUB006',
    message: `the cluster refuses what is needed: ${rights.length === 1 ? rights[0] : `${rights.length} rights lack`}`,
    ...(rights.length > 1 && { have: rights }),
    try: `another --context, or have the rights granted; kubectl auth can-i ${rights[0]} -A says whether you have it`,
    exitCode: ExitCode.unknown,
  })
}

function expectOk({ status, body }: Answer, path: string): Json {
  if (status === 401) {
    throw new NetctlError({
      code: 'KUB003',
      message: 'the cluster does not take the credentials (401)',
      try: 'log in again, or take another --context',
      exitCode: ExitCode.unknown,
    })
  }
  const json = rec(body)
  if (
    status !== 200 ||
    body === undefined ||
    !(Array.isArray(json.items) || Array.isArray(json.groups) || Array.isArray(json.resources) || json.items === null)
  ) {
    const said = str(json.message)?.split('\n', 1)[0]?.slice(0, 200)
    throw noSense(path, `was answered with ${status}${said === undefined ? (status === 200 ? ' and no list' : '') : `: ${said}`}`)
  }
  return json
}

const noSense = (path: string, what: string): NetctlError =>
  new NetctlError({
    code: 'KUB007',
    message: `${path} ${what}`,
    try: `look at kubectl get --raw ${path}; try again if the cluster is starting`,
    exitCode: ExitCode.unknown,
  })
