/** The policy cases as objects, flows and what is expected of each. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { policyCases } from '../../support/policy-cases.ts'
import type { Flow } from './flow.ts'
import type { KubeObject, Pod } from './objects.ts'

interface EndEntry {
  readonly id: string
  readonly ip: string
  readonly external?: true
  readonly namespace?: string
  readonly workload?: string
  readonly kind?: string
}

type Probe = readonly [protocol: string, ...rest: (number | { srcPort?: number; icmpType?: number; icmpCode?: number })[]]

interface Row {
  readonly src: string
  readonly dst: string | readonly string[]
  readonly protocol?: readonly string[]
  readonly ports?: '*' | readonly number[]
  readonly probes?: readonly Probe[]
  readonly class?: Flow['class']
  readonly staged?: boolean
  readonly allowed: boolean | null
  readonly egress?: string
  readonly ingress?: string
  readonly egressPath?: readonly string[]
  readonly ingressPath?: readonly string[]
}

interface CaseFile {
  readonly valid?: false
  readonly ends?: readonly EndEntry[]
  readonly probe_ports?: readonly number[]
  readonly rejected_by_calico?: Readonly<Record<string, string>>
  readonly expect: readonly Row[]
}

export interface Expectation {
  readonly flow: Flow
  readonly row: Row
}

export interface PolicyCase {
  readonly objects: readonly KubeObject[]
  readonly expectations: readonly Expectation[]
}

/** Names of the cases of one folder, as paths below it; those that are invalid input are left out. */
export function caseNames(folder: string): string[] {
  const below = existsSync(join(policyCases, folder, 'cases')) ? join(folder, 'cases') : folder
  const names = readdirSync(join(policyCases, below)).map((name) => join(below, name))
  return names.filter((name) => caseFile(name).valid !== false).sort()
}

function caseFile(name: string): CaseFile {
  return JSON.parse(readFileSync(join(policyCases, name, 'expected.json'), 'utf8')) as CaseFile
}

export function loadCase(name: string): PolicyCase {
  const file = caseFile(name)
  const rejected = new Set(Object.keys(file.rejected_by_calico ?? {}))
  // the keys say default for what has no namespace
  const key = ({ kind, metadata }: KubeObject) => `${kind}/${metadata.namespace ?? 'default'}/${metadata.name}`
  const objects = readObjects(join(policyCases, name, 'manifests')).filter((object) => !rejected.has(key(object)))
  const ids = new Map<string, string>()
  for (const end of file.ends ?? []) ids.set(end.id, end.external ? end.ip : giveAddress(objects, end))
  return { objects, expectations: file.expect.flatMap((row) => expectationsOf(row, file.probe_ports ?? [], ids)) }
}

function readObjects(folder: string): KubeObject[] {
  const objects: KubeObject[] = []
  for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile() || !/\.(ya?ml|json)$/.test(file.name)) continue
    for (const document of parseAllDocuments(readFileSync(join(file.parentPath, file.name), 'utf8'))) {
      collect(document.toJS() as unknown, objects)
    }
  }
  return objects
}

function collect(value: unknown, objects: KubeObject[]): void {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return
  if ('items' in value && Array.isArray(value.items)) {
    // a PodList's items may leave out what the list says
    const kind = String(value.kind).replace(/List$/, '')
    const apiVersion = (value as { apiVersion?: string }).apiVersion
    for (const item of value.items) collect({ ...(kind ? { kind, apiVersion } : {}), ...(item as object) }, objects)
  } else if ('apiVersion' in value && 'metadata' in value) objects.push(value as KubeObject)
}

/** The pod that an end means, with the end's address if it has none of its own; a workload's is made from its template. */
function giveAddress(objects: KubeObject[], end: EndEntry): string {
  const slash = end.id.indexOf('/')
  const namespace = end.namespace ?? end.id.slice(0, slash)
  const workload = end.workload ?? end.id.slice(slash + 1)
  const isHere = ({ metadata }: KubeObject) => (metadata.namespace ?? 'default') === namespace
  const isNamed = (object: KubeObject) => isHere(object) && object.metadata.name === workload
  const isOwned = (object: KubeObject) =>
    isHere(object) && (object.metadata as { ownerReferences?: { name: string }[] }).ownerReferences?.some(({ name }) => name === workload)
  let index = objects.findIndex((object) => object.kind === 'Pod' && isNamed(object))
  if (index < 0) index = objects.findIndex((object) => object.kind === 'Pod' && isOwned(object))
  if (index < 0)
    index =
      objects.push(
        podOfWorkload(
          objects.find((object) => object.kind === end.kind && isNamed(object)),
          end,
        ),
      ) - 1
  const pod = objects[index] as Pod
  if (!pod.status?.podIP) objects[index] = { ...pod, status: { ...pod.status, podIP: end.ip } } as Pod
  return `${namespace}/${pod.metadata.name}`
}

function podOfWorkload(workload: KubeObject | undefined, end: EndEntry): Pod {
  if (!workload) throw new Error(`no object for ${end.id}`)
  type Template = { metadata?: { labels?: Record<string, string> }; spec?: Pod['spec'] }
  const spec = workload.spec as { template?: Template; jobTemplate?: { spec: { template: Template } } }
  const template = spec.template ?? spec.jobTemplate?.spec.template
  const { name, namespace } = workload.metadata
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels: template?.metadata?.labels }, spec: template?.spec }
}

function expectationsOf(row: Row, probePorts: readonly number[], ids: ReadonlyMap<string, string>): Expectation[] {
  const id = (end: string) => ids.get(end) ?? end
  const found: Expectation[] = []
  const probes: readonly Probe[] =
    row.probes ??
    (row.protocol ?? []).flatMap((protocol) => (row.ports === '*' ? probePorts : (row.ports ?? [])).map((port): Probe => [protocol, port]))
  for (const dst of [row.dst].flat()) {
    for (const [protocol, ...rest] of probes) {
      const port = rest.find((part) => typeof part === 'number')
      const more = rest.find((part) => typeof part === 'object')
      const flow: Flow = { src: id(row.src), dst: id(dst), protocol, port, ...more, class: row.class, staged: row.staged }
      found.push({ flow, row })
    }
  }
  return found
}
