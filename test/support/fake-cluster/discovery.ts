/** What an API server says it serves. */
import type { Place } from './objects.ts'
import { refusal } from './requests.ts'

const CORE = ['pods', 'nodes', 'services', 'endpoints', 'namespaces', 'serviceaccounts', 'events', 'secrets', 'configmaps']
const BUILT_IN: readonly Place[] = [
  ...CORE.map((plural) => ({ group: '', version: 'v1', plural })),
  ...['deployments', 'daemonsets', 'replicasets', 'statefulsets'].map((plural) => ({ group: 'apps', version: 'v1', plural })),
  ...['jobs', 'cronjobs'].map((plural) => ({ group: 'batch', version: 'v1', plural })),
  { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' },
  { group: 'networking.k8s.io', version: 'v1', plural: 'networkpolicies' },
]
const CLUSTER_WIDE = /^(?:nodes|namespaces|tiers|ippools|ipamblocks|hostendpoints|profiles|global.*|.*configurations|.*clusterroles.*)$/

/** The answer to a path of discovery; `more`: what is served beside the built-in kinds. */
export function discovery(path: string, more: readonly Place[]): readonly [status: number, body: object] {
  const places = [...BUILT_IN, ...more]
  const versions = (group: string) => [...new Set(places.filter((p) => p.group === group).map((p) => p.version))]
  if (path === '/version') return [200, { major: '1', minor: '36', gitVersion: 'v1.36.0' }]
  if (path === '/api') return [200, { kind: 'APIVersions', versions: ['v1'] }]
  if (path === '/apis') {
    const groups = [...new Set(places.map((p) => p.group))].filter(Boolean).map((name) => {
      const all = versions(name).map((version) => ({ groupVersion: `${name}/${version}`, version }))
      return { name, versions: all, preferredVersion: all[0] }
    })
    return [200, { kind: 'APIGroupList', apiVersion: 'v1', groups }]
  }
  const [, group = '', version = ''] = /^\/apis?\/(?:([^/]+)\/)?([^/]+)$/.exec(path) ?? []
  const plurals = new Set(places.filter((p) => p.group === group && p.version === version).map((p) => p.plural))
  if (plurals.size === 0) return refusal(404, 'the server could not find the requested resource', { reason: 'NotFound' })
  const resources = [...plurals].map((name) => ({ name, namespaced: !CLUSTER_WIDE.test(name), verbs: ['get', 'list', 'watch'] }))
  return [200, { kind: 'APIResourceList', groupVersion: group === '' ? version : `${group}/${version}`, resources }]
}
