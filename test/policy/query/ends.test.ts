import { expect, it } from 'vitest'
import { resolveEnd } from '../../../src/policy/query/ends.ts'
import { worldOfText } from '../world.ts'

const workload = (kind: string, name: string) => `
apiVersion: apps/v1
kind: ${kind}
metadata: {name: ${name}, namespace: shop}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: c, image: i}]}
`
const pod = (name: string, more = '') => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: shop${more}}
spec: {containers: [{name: c, image: i}]}
status: {podIP: 10.0.0.1}
`
const docs = (...texts: string[]) => worldOfText(texts.join('---'))

it('a name without a kind is a pod, else the only workload that is called so', () => {
  const world = docs(
    workload('Deployment', 'web'),
    workload('Deployment', 'db'),
    workload('StatefulSet', 'db'),
    pod('api'),
    workload('Job', 'api'),
  )
  expect(resolveEnd(world, 'shop/web')?.id).toBe('shop/web[Deployment]')
  expect(resolveEnd(world, 'shop/api')?.id).toBe('shop/api')
  expect(resolveEnd(world, 'shop/db')).toBeUndefined()
  expect(resolveEnd(world, 'shop/nobody')).toBeUndefined()
})

it('and of a workload whose pods are there, one of them answers, which is said', () => {
  const owner = ', ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web, uid: u, controller: true}]'
  const world = docs(pod('web-1', owner), pod('web-2', owner))
  const end = resolveEnd(world, 'shop/web')
  expect(end?.endpoint?.id).toBe('shop/web-1')
  expect(end?.note).toBe('shop/web[ReplicaSet] is 2 pods: answered for shop/web-1')
})
