/** Manifests in short, and what is read of them. */
import { readManifest } from '../../../src/cluster/manifest/read.ts'
import { type Resource, readResource } from '../../../src/policy/resources/read.ts'

/** The objects of a manifest, which are all fine. */
function resources(yaml: string): readonly Resource[] {
  return readManifest(yaml, 'test.yaml', { namespace: 'shop' }).objects.map((object) => {
    const result = readResource(object)
    if (result.kind !== 'resource') throw new Error(JSON.stringify(result))
    return result.resource
  })
}

/** The one object of a manifest. */
export const resource = (yaml: string): Resource => resources(yaml)[0] as Resource

/** `field: message` of all that is refused. */
export function problems(yaml: string): readonly string[] {
  return readManifest(yaml, 'test.yaml', { namespace: 'shop' }).objects.flatMap((object) => {
    const result = readResource(object)
    return result.kind === 'refused' ? result.problems.map(({ field, message }) => `${field}: ${message}`) : []
  })
}

/** A manifest up to its spec. */
export const head = (apiVersion: string, kind: string, metadata = '{name: p}') =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: ${metadata}\n`
export const np = (spec: string) => `${head('networking.k8s.io/v1', 'NetworkPolicy')}spec: ${spec}`
export const calico = (spec: string, kind = 'NetworkPolicy') => `${head('projectcalico.org/v3', kind)}spec: ${spec}`
