/** What a request to an API server is about, and how one refuses. */
import { type Json, rec, str } from '../../../src/cluster/items.ts'
import type { Place } from './objects.ts'
import type { Right } from './roles.ts'

export type Refusal = readonly [status: number, body: Json]

const STATUS = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' } as const

export const refusal = (code: number, message: string, more: Json = {}): Refusal => [code, { ...STATUS, message, ...more, code }]

export interface Where extends Place {
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string | undefined
}

/** `/apis/GROUP/VERSION[/namespaces/NAMESPACE]/PLURAL[/NAME[/SUBRESOURCE]]`, `/api/v1/…` of the core group. */
export function whereOf(path: string): Where | undefined {
  const [, group = '', version = '', rest = ''] = /^\/(?:api|apis\/([^/]+))\/(v[^/]+)\/(.+)$/.exec(path) ?? []
  if (rest === '') return undefined
  const parts = rest.split('/').map(decodeURIComponent)
  const namespaced = parts[0] === 'namespaces' && parts.length > 2
  const [plural = '', name, subresource] = namespaced ? parts.slice(2) : parts
  return { group, version, plural, namespace: namespaced ? parts[1] : undefined, name, subresource }
}

export function verbOf(method: string, name: string | undefined, query: URLSearchParams): string {
  const verbs: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch' }
  if (method === 'GET') return query.get('watch') === 'true' || query.get('watch') === '1' ? 'watch' : name === undefined ? 'list' : 'get'
  if (method === 'DELETE') return name === undefined ? 'deletecollection' : 'delete'
  return verbs[method] ?? method
}

export const propagationOf = (query: URLSearchParams, body: string): string | undefined =>
  query.get('propagationPolicy') ?? (body === '' ? undefined : str(rec(JSON.parse(body)).propagationPolicy))

export function notFound(plural: string, name: string): Refusal {
  return refusal(404, `${plural} "${name}" not found`, { reason: 'NotFound', details: { name, kind: plural } })
}

/** As apiserver writes it (endpoints/handlers/responsewriters). */
export function forbidden({ verb, group, resource, namespace, name }: Right): Refusal {
  const [plural = ''] = resource.split('/')
  const what = `${group === '' ? plural : `${plural}.${group}`}${name === undefined ? '' : ` "${name}"`}`
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`
  const message = `${what} is forbidden: User "u" cannot ${verb} resource "${resource}" in API group "${group}" ${where}`
  return refusal(403, message, { reason: 'Forbidden', details: { ...(name !== undefined && { name }), group, kind: plural } })
}
