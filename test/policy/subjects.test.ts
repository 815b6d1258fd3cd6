/** Whom policies are about, and whom selectors mean. */
import { describe, expect, it } from 'vitest'
import { pathOf } from '../../src/policy/path.ts'
import { ask, global, isolate, PODS, pod } from './made.ts'
import { worldOfText } from './world.ts'

describe('who is no subject', () => {
  it('lets a pod reach itself, and not another one of its workload', () => {
    const world = worldOfText(PODS + pod('db-2', 'db', '10.0.0.3') + isolate(''))
    expect(pathOf(ask(world, 'a/db', 'a/db').ingress)).toEqual(['to itself: allow'])
    expect(ask(world, 'a/db', 'a/db-2').verdict).toBe('deny')
  })

  it('takes a hostNetwork pod for its node, and says what else its node may do', () => {
    const host = pod('host', 'web', '192.0.2.1', 'nodeName: n1, hostNetwork: true')
    const node = `
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
---`
    const world = worldOfText(PODS + host + node + isolate('{from: [{podSelector: {matchLabels: {app: web}}}]}'))
    const verdict = ask(world, 'a/host', 'a/db')
    expect(verdict).toMatchObject({ verdict: 'deny', egress: { verdict: 'n/a' } })
    expect(verdict.notes.join()).toContain('reaches the pods of n1')
    expect(pathOf(ask(world, 'node/n1', 'a/db').ingress)).toEqual(['between a node and its pod: allow'])
    expect(ask(world, 'a/db', 'a/host')).toMatchObject({ verdict: 'allow', ingress: { verdict: 'n/a' } })
  })

  it('knows that a finished pod sends nothing', () => {
    const done = pod('job', 'web', '10.0.0.9').replace('status: {', 'status: {phase: Succeeded, ')
    const world = worldOfText(PODS + done)
    expect(ask(world, 'a/job', 'a/db')).toMatchObject({ allowed: true, verdict: 'unknown', egress: { verdict: 'n/a' } })
    expect(ask(world, 'a/db', '10.0.0.9').notes).toEqual([])
  })

  it('judges one pod for its controller, and says which', () => {
    const owned = (name: string, address: string): string =>
      pod(name, 'web', address).replace('labels:', 'ownerReferences: [{kind: ReplicaSet, name: web-1, controller: true}], labels:')
    const world = worldOfText(owned('web-1-x', '10.0.0.5') + owned('web-1-y', '10.0.0.6') + pod('db', 'db', '10.0.0.2') + isolate(''))
    expect(ask(world, 'a/web-1[ReplicaSet]', 'a/db')).toMatchObject({
      verdict: 'deny',
      notes: ['a/web-1[ReplicaSet] is 2 pods: answered for a/web-1-x'],
    })
  })
})

describe('what selectors stand for', () => {
  const set = (kind: string, metadata: string, nets: string): string => `
apiVersion: projectcalico.org/v3
kind: ${kind}
metadata: {${metadata}}
spec: {nets: [${nets}]}
---`

  it('is addresses: outside ones in a set, and those of pods in it', () => {
    const world = worldOfText(
      PODS +
        set('GlobalNetworkSet', 'name: s, labels: {trusted: "yes"}', '203.0.113.0/24, 10.0.0.1') +
        global('g', "selector: app == 'db', ingress: [{action: Allow, source: {selector: has(trusted)}}]"),
    )
    expect(ask(world, '203.0.113.9', 'a/db').verdict).toBe('allow')
    expect(ask(world, 'a/web', 'a/db').verdict).toBe('allow')
    expect(ask(world, '203.0.114.9', 'a/db').verdict).toBe('deny')
  })

  it('takes notSelector out by endpoint where there is a selector, by address where there is none', () => {
    const bad = set('GlobalNetworkSet', 'name: s, labels: {bad: "yes"}', '10.0.0.1')
    const rule = (source: string): string => global('g', `selector: app == 'db', ingress: [{action: Allow, source: {${source}}}]`)
    expect(ask(worldOfText(PODS + bad + rule("selector: app == 'web', notSelector: has(bad)")), 'a/web', 'a/db').verdict).toBe('allow')
    const alone = worldOfText(PODS + bad + rule('notSelector: has(bad)'))
    expect(ask(alone, 'a/web', 'a/db').verdict).toBe('deny')
    expect(ask(alone, '203.0.113.9', 'a/db').verdict).toBe('allow')
  })

  it('finds a named port at the pod that the selector selects', () => {
    const web = pod('web', 'web', '10.0.0.1', 'containers: [{ports: [{name: http, containerPort: 8080}]}]')
    const egress = (selector: string): string =>
      global('g', `selector: app == 'db', egress: [{action: Allow, protocol: TCP, destination: {${selector}ports: [http]}}]`)
    const world = worldOfText(web + pod('db', 'db', '10.0.0.2') + egress("selector: app == 'web', "))
    expect(ask(world, 'a/db', 'a/web', 'TCP', 8080).verdict).toBe('allow')
    expect(ask(world, 'a/db', 'a/web', 'TCP', 80).verdict).toBe('deny')
    expect(ask(world, 'a/db', 'a/web', 'UDP', 8080).verdict).toBe('deny')
    const other = worldOfText(web + pod('db', 'db', '10.0.0.2') + egress("selector: app == 'x', "))
    expect(ask(other, 'a/db', 'a/web', 'TCP', 8080).verdict).toBe('deny')
  })

  it('follows a service to its pods, recorded or to come', () => {
    const service = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: a}
spec: {clusterIP: 10.96.0.1, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---`
    const policy = global('g', "selector: app == 'db', egress: [{action: Allow, destination: {services: {name: web, namespace: a}}}]")
    const predicted = worldOfText(PODS + service + policy)
    expect(ask(predicted, 'a/db', 'a/web', 'TCP', 8080).verdict).toBe('allow')
    expect(ask(predicted, 'a/db', 'a/web', 'TCP', 80).verdict).toBe('deny')
    expect(ask(predicted, 'a/db', '10.96.0.1').notes.join()).toContain('the address of service a/web')
    const slice = `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: a, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints: [{addresses: [203.0.113.5], conditions: {ready: false}}]
ports: [{port: 9000, protocol: TCP}]
---`
    const recorded = worldOfText(PODS + service + slice + policy)
    expect(ask(recorded, 'a/db', '203.0.113.5', 'TCP', 9000).verdict).toBe('allow')
    expect(ask(recorded, 'a/db', 'a/web', 'TCP', 8080).verdict).toBe('deny')
  })
})
