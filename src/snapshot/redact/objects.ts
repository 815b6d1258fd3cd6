/** Objects of the API, field by field: numbers and the API's own words stay, addresses and names are replaced, what identifies and is never asked for goes. */
import { arr, type Json, rec, str } from '../../cluster/items.ts'
import { canonical } from '../../cluster/selector/canonical.ts'
import { parseSelector } from '../../cluster/selector/parse.ts'
import type { Selector } from '../../cluster/selector/types.ts'
import { cut } from '../collect/cut.ts'
import type { NameKind } from './names.ts'
import { LABEL_KEYS, OBJECTS } from './object-vocabulary.ts'

/** What becomes of the texts in objects: learning looks at them, redacting replaces them. */
export interface Mapping {
  name(text: string, kind: NameKind): string
  policy(text: string, tier: string | undefined): string
  profile(text: string): string
  device(text: string): string
  /** addresses, blocks, keys; undefined for what is none */
  plain(text: string): string | undefined
  /** known texts for which a condition on a part of a text holds */
  matching(holds: (text: string) => boolean): readonly string[]
}

const DROPPED = new Set(
  `uid resourceVersion generateName generation selfLink managedFields providerID machineID systemUUID bootID osImage containerRuntimeVersion containerID
  timestamp asNumber message secrets imagePullSecrets`.split(/\s+/),
)
const LABELS = new Set(['labels', 'matchLabels', 'labelsToApply', 'nodeSelector', 'selector'])
const SELECTORS = new Set(['selector', 'namespaceSelector', 'serviceAccountSelector', 'notSelector', 'nodeSelector'])

/** Whose name stands under a key, whatever the object. */
const KEYS: Readonly<Record<string, NameKind>> = {
  namespace: 'ns',
  nodeName: 'node',
  node: 'node',
  pod: 'pod',
  serviceAccountName: 'sa',
  serviceAccount: 'sa',
  tier: 'tier',
  zone: 'value',
  targetPort: 'port',
  port: 'port',
  ports: 'port',
  notPorts: 'port',
  hostname: 'x',
  subdomain: 'svc',
}

const KINDS: Readonly<Record<string, NameKind>> = {
  Namespace: 'ns',
  Node: 'node',
  Pod: 'pod',
  Service: 'svc',
  ServiceAccount: 'sa',
  EndpointSlice: 'slice',
  Tier: 'tier',
  IPPool: 'pool',
  HostEndpoint: 'hep',
  NetworkSet: 'netset',
  GlobalNetworkSet: 'netset',
}

/** One object, without what no snapshot may hold either. */
export function object(item: Json, to: Mapping): Json {
  const kind = str(item.kind) ?? ''
  const { apiVersion, metadata, ...rest } = cut(item)
  const tier = str(rec(rest.spec).tier)
  const { kind: own, ...fields } = walk({ apiVersion, ...rest }, '', kind, to) as Json
  return { kind: own, metadata: metadataOf(rec(metadata), kind, tier, to), ...fields }
}

function metadataOf({ annotations, name, ownerReferences, ...metadata }: Json, kind: string, tier: string | undefined, to: Mapping): Json {
  const own = str(name)
  const owners = arr(ownerReferences).map((o) => walk(o, '', '', to))
  const kept = annotationsOf(rec(annotations), kind, tier, to)
  return {
    ...(own !== undefined && { name: ownName(own, kind, tier, to) }),
    ...(walk(metadata, '', kind, to) as Json),
    ...(owners.length > 0 && { ownerReferences: owners }),
    ...(Object.keys(kept).length > 0 && { annotations: kept }),
  }
}

function ownName(name: string, kind: string, tier: string | undefined, to: Mapping): string {
  if (/Policy$/.test(kind)) return to.policy(name, tier)
  if (kind === 'Profile') return to.profile(name)
  if (kind === 'FelixConfiguration' && name.startsWith('node.')) return `node.${to.name(name.slice(5), 'node')}`
  return to.name(name, KINDS[kind] ?? 'x')
}

const STORED = 'projectcalico.org/metadata'

/** Annotations are anybody's: those stay whose values are addresses, keys or words of the API. */
function annotationsOf(annotations: Json, kind: string, tier: string | undefined, to: Mapping): Json {
  return Object.fromEntries(
    Object.entries(annotations).flatMap(([key, value]) => {
      const text = str(value)
      if (text === undefined) return []
      if (key === STORED) return [[key, stored(text, kind, tier, to)]]
      // a rule's name
      if (key === 'name') return [[key, to.name(text, 'x')]]
      if (!/^(?:[a-z0-9.-]+\.)?(?:projectcalico\.org|kubernetes\.io|k8s\.io)\/[A-Za-z0-9.-]+$/.test(key)) return []
      const parts = text.split(',').map((part) => (OBJECTS.has(part) ? part : plainOf(part, to)))
      return parts.every((part) => part !== undefined) ? [[key, parts.join(',')]] : []
    }),
  )
}

function stored(text: string, kind: string, tier: string | undefined, to: Mapping): string {
  try {
    return JSON.stringify(metadataOf(rec(JSON.parse(text)), kind, tier, to))
  } catch {
    return '{}'
  }
}

function walk(value: unknown, key: string, kind: string, to: Mapping): unknown {
  if (typeof value === 'string') return text(value, key, kind, to)
  if (Array.isArray(value)) return value.map((one) => walk(one, key, kind, to))
  if (typeof value !== 'object' || value === null) return value
  const fields = value as Json
  if (LABELS.has(key) && !('matchLabels' in fields) && !('matchExpressions' in fields) && key !== 'matchExpressions' && isTexts(fields))
    return Object.fromEntries(Object.entries(fields).map(([k, v]) => [labelKey(k, to), labelValue(k, v as string, to)]))
  const label = typeof fields.key === 'string' ? fields.key : undefined
  return Object.fromEntries(
    Object.entries(fields).flatMap(([k, v]) => {
      if (DROPPED.has(k) || !/^[A-Za-z][A-Za-z0-9_]{0,60}$/.test(k)) return []
      if (label !== undefined && k === 'key') return [[k, labelKey(label, to)]]
      if (label !== undefined && k === 'values')
        return [[k, arr(v).map((one) => (typeof one === 'string' ? labelValue(label, one, to) : one))]]
      if (label !== undefined && k === 'value' && typeof v === 'string') return [[k, labelValue(label, v, to)]]
      if (k === 'annotations') return [[k, annotationsOf(rec(v), kind, undefined, to)]]
      return [[k, k === 'name' && typeof v === 'string' ? innerName(v, key, fields, to) : walk(v, k, kind, to)]]
    }),
  )
}

/** A long number may be somebody's: of an account, a customer. */
const plainOf = (value: string, to: Mapping): string | undefined => (/^\d{6,}/.test(value) ? undefined : to.plain(value))

const isTexts = (fields: Json): boolean => Object.values(fields).every((v) => typeof v === 'string')

/** `name` inside of an object: of a port, of what is referred to, of a container. */
function innerName(name: string, parent: string, fields: Json, to: Mapping): string {
  if (parent === 'ports') return to.name(name, 'port')
  if (parent === 'targetRef') return to.name(name, KINDS[str(fields.kind) ?? ''] ?? 'x')
  if (parent === 'forNodes') return to.name(name, 'node')
  if (parent === 'forZones') return to.name(name, 'value')
  if (parent === 'services') return to.name(name, 'svc')
  if (parent === 'interfaces') return to.device(name)
  return to.name(name, 'x')
}

function text(value: string, key: string, kind: string, to: Mapping): string {
  if (value === '') return value
  if (SELECTORS.has(key)) return selector(value, to)
  if (key === 'interfaceName' || (key === 'endpoint' && kind === 'WorkloadEndpoint')) return to.device(value)
  if (key === 'profiles') return to.profile(value)
  if (key === 'affinity') return value.replace(/^([a-z]+):(.+)$/, (_, of: string, name: string) => `${of}:${to.name(name, 'node')}`)
  if (key === 'names') return to.name(value, 'sa')
  if (key === 'exact' || key === 'prefix') return `/${to.name(value, 'x')}`
  if (/Version$/.test(key) && key !== 'apiVersion') return /^v?\d+\.\d+(?:\.\d+)?/.exec(value)?.[0] ?? ''
  if (key === 'apiVersion' && /^(?:(?:[a-z]+\.)*(?:k8s\.io|projectcalico\.org)\/|apps\/|batch\/)?v\d+(?:(?:alpha|beta)\d+)?$/.test(value))
    return value
  if (OBJECTS.has(value) || /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) return value
  if (value.startsWith('*.')) return `*.${to.name(value.slice(2), 'x')}`
  return plainOf(value, to) ?? to.name(value, KEYS[key] ?? 'x')
}

/** Of namespaces and service accounts, under which Calico's endpoints inherit their labels. */
const INHERITED = /^(pcns\.|pcsa\.)?(.*)$/s

function labelKey(key: string, to: Mapping): string {
  const [, prefix = '', own = key] = INHERITED.exec(key) ?? []
  return LABEL_KEYS.has(own) ? key : prefix + to.name(own, 'key')
}

/** Labels that Kubernetes and Calico give, with a name of another object. */
const VALUES: Readonly<Record<string, NameKind>> = {
  'kubernetes.io/metadata.name': 'ns',
  'kubernetes.io/service-name': 'svc',
  'kubernetes.io/hostname': 'node',
  'projectcalico.org/namespace': 'ns',
  'projectcalico.org/serviceaccount': 'sa',
  'projectcalico.org/tier': 'tier',
  'statefulset.kubernetes.io/pod-name': 'pod',
}

function labelValue(key: string, value: string, to: Mapping): string {
  if (value === '' || OBJECTS.has(value)) return value
  const own = key.replace(/^pc(?:ns|sa)\./, '')
  return VALUES[own] === undefined ? (plainOf(value, to) ?? to.name(value, 'value')) : to.name(value, VALUES[own])
}

function selector(value: string, to: Mapping): string {
  const parsed = parseSelector(value)
  // what nobody can read selects nothing with another name either
  return parsed.kind === 'error' ? to.name(value, 'x') : canonical(mapSelector(parsed, to))
}

function mapSelector(s: Selector, to: Mapping): Selector {
  switch (s.kind) {
    case 'all':
    case 'global':
      return s
    case 'has':
      return { kind: 'has', key: labelKey(s.key, to) }
    case 'equal':
    case 'notEqual':
      return { kind: s.kind, key: labelKey(s.key, to), value: labelValue(s.key, s.value, to) }
    // a part of a text has no pseudonym: all texts that have it are named
    case 'contains':
      return anyOf(
        s.key,
        to.matching((text) => text.includes(s.value)),
        to,
      )
    case 'startsWith':
      return anyOf(
        s.key,
        to.matching((text) => text.startsWith(s.value)),
        to,
      )
    case 'endsWith':
      return anyOf(
        s.key,
        to.matching((text) => text.endsWith(s.value)),
        to,
      )
    case 'in':
    case 'notIn':
      return { kind: s.kind, key: labelKey(s.key, to), values: s.values.map((v) => labelValue(s.key, v, to)) }
    case 'not':
      return { kind: 'not', operand: mapSelector(s.operand, to) }
    case 'and':
    case 'or':
      return { kind: s.kind, operands: s.operands.map((o) => mapSelector(o, to)) }
  }
}

const anyOf = (key: string, values: readonly string[], to: Mapping): Selector => ({
  kind: 'in',
  key: labelKey(key, to),
  values: values.map((v) => labelValue(key, v, to)),
})
