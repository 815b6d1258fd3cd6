import { describe, expect, test } from 'vitest'
import { readManifest } from '../../../src/cluster/manifest/read.ts'
import { smallestChange } from '../../../src/policy/advice/search.ts'
import { evaluate } from '../../../src/policy/evaluate.ts'
import { portClasses, portOf } from '../../../src/policy/matrix/ports.ts'
import { endOf } from '../../../src/policy/query/ends.ts'
import { type Scene, servicesOf } from '../../../src/policy/query/services.ts'
import { readPolicyTest } from '../../../src/policy/test/read.ts'
import { runExpectation, shortfallOf } from '../../../src/policy/test/run.ts'
import { runSuite, withAdvice } from '../../../src/policy/test/suite.ts'
import type { Expectation } from '../../../src/policy/test/types.ts'
import { randomCluster } from '../random/cluster.ts'
import { worldOfText } from '../world.ts'

const sceneOf = (text: string): Scene => {
  const { objects } = readManifest(text, 'test.yaml', { namespace: 'default' })
  return { world: worldOfText(text), services: servicesOf(objects), namespace: 'default' }
}
const HEAD = 'apiVersion: netctl.dev/v1alpha1\nkind: PolicyTest\nspec:\n  tests:\n'
const testOf = (entries: readonly string[]) =>
  readPolicyTest(readManifest(HEAD + entries.map((e) => `  - ${e}\n`).join(''), 't.yaml', { namespace: 'default' }).objects[0] as never)
const expectation = (entry: string): Expectation => testOf([entry]).expectations[0] as Expectation

const PODS = ['web', 'web2', 'api']
const pod = (name: string, app: string, ports = '[{name: http, containerPort: 80}]') =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: shop, labels: {app: ${app}}}\nspec: {nodeName: n1, containers: [{name: c, ports: ${ports}}]}\nstatus: {phase: Running, podIP: 10.0.0.${PODS.indexOf(name)}}\n---\n`
const SHOP =
  pod('web', 'web') +
  pod('web2', 'web') +
  pod('api', 'api', '[{name: http, containerPort: 8080}, {name: metrics, containerPort: 9090}]') +
  `apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: shop}\nspec: {clusterIP: 10.96.0.1, selector: {app: api}, ports: [{name: web, port: 80, targetPort: http}, {name: m, port: 81, targetPort: 9090}]}\n---\n` +
  `apiVersion: v1\nkind: Service\nmetadata: {name: alias, namespace: shop}\nspec: {type: ExternalName, externalName: api.shop.svc.cluster.local, selector: {app: api}, ports: [{port: 80}]}\n---\n` +
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: api, namespace: shop}\nspec: {podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: http}]}]}\n---\n`
const shop = sceneOf(SHOP)
const run = (entry: string) => runExpectation(shop, expectation(entry))
const refusal = (entry: string): string => {
  try {
    run(entry)
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('not refused')
}

describe('who and which port', () => {
  test.each([
    ['a Service is its backends at their target ports', '{from: shop/web, to: svc/shop/api:80, expect: allow}', 'pass', 1],
    ['…by the name of its port', '{from: shop/web, to: svc/shop/api, port: m, expect: deny}', 'pass', 1],
    ['a port by its name at the pod', '{from: shop/web, to: shop/api, port: metrics, expect: deny}', 'pass', 1],
    ['every port that is declared', '{from: shop/web, to: shop/web2, expect: allow}', 'pass', 1],
    ['all of a selection', '{from: {labels: {app: web}}, to: shop/api, port: 8080, expect: allow}', 'pass', 2],
    ['a pattern, without the pod itself', "{from: 'shop/web*', to: 'shop/web*', port: 80, expect: allow}", 'pass', 2],
    ['labels by pattern', "{from: {labels: {app: 'w*'}}, to: shop/api, port: 9090, expect: deny}", 'pass', 2],
    [
      'labels of the namespace',
      '{from: {namespaceLabels: {kubernetes.io/metadata.name: shop}}, to: shop/api, port: 9090, expect: deny}',
      'pass',
      2,
    ],
    ['a pod by its address', '{from: shop/web, to: "10.0.0.2:9090", expect: deny}', 'pass', 1],
    ['…that is somebody outside', '{from: shop/web, to: "10.9.9.9:9090", expect: allow}', 'pass', 1],
    ['everybody', '{from: {any: true}, to: shop/api, port: 9090, expect: deny}', 'pass', 2],
    ['one that fails fails all', '{from: {any: true}, to: {any: true}, port: 80, expect: allow}', 'fail', 6],
  ])('%s', (_what, entry, outcome, checked) => {
    expect(run(entry)).toMatchObject({ outcome, checked })
  })

  test.each([
    ['{from: shop/wbe, to: shop/api, port: 80, expect: allow}', 'there is no “shop/wbe”'],
    ['{from: {namespace: shp}, to: shop/api, port: 80, expect: allow}', 'no pod fits: namespace shp'],
    ['{from: shop/web, to: shop/api, port: https, expect: allow}', 'shop/api has no port called https'],
    ['{from: shop/web, to: svc/shop/api, expect: allow}', 'service shop/api has 2 ports: which one?'],
    ['{from: shop/web, to: svc/shop/api:82, expect: allow}', 'service shop/api has no such port'],
    [
      '{from: shop/web, to: svc/shop/alias:80, expect: allow}',
      'svc/shop/alias is no more than another name for api.shop.svc.cluster.local in DNS (ExternalName)',
    ],
    ['{from: shop/web, to: 10.9.9.9, expect: allow}', '10.9.9.9 declares no port: which one?'],
    [
      '{from: "shop/api*", to: "shop/api*", port: 80, expect: allow}',
      'the only pod at both ends is one and the same, which always reaches itself',
    ],
  ])('%s can’t be asked', (entry, message) => {
    expect(refusal(entry)).toBe(message)
  })
})

describe('by', () => {
  test.each([
    ['shop/api', 'pass'],
    ['api', 'pass'],
    ['shop/web', 'fail'],
  ])('%s', (by, outcome) => {
    expect(run(`{from: shop/web, to: shop/api, port: 8080, expect: allow, by: ${by}}`).outcome).toBe(outcome)
    // at the end of a tier those that select the pod have decided
    expect(run(`{from: shop/web, to: shop/api, port: 9090, expect: deny, by: ${by}}`).outcome).toBe(outcome)
  })
})

test('a change that breaks another expectation says so', () => {
  const { results } = withAdvice(
    shop,
    runSuite(
      shop,
      testOf([
        '{name: open, from: shop/web, to: shop/api, port: 8080, expect: allow}',
        '{name: closed, from: shop/web2, to: shop/api, port: 8080, expect: deny}',
      ]),
    ),
  )
  const [, closed] = results
  expect(closed).toMatchObject({ advice: { breaks: [{ name: 'open' }] } })
})

test('a change is one for all pairs, not for the first few', () => {
  const many = Array.from({ length: 12 }, (_, i) => pod(`c${i}`, `c${i}`)).join('')
  const scene = sceneOf(`${SHOP}${many}`)
  const { results } = withAdvice(scene, runSuite(scene, testOf(["{from: 'shop/c*', to: shop/api, port: 8080, expect: allow}"])))
  const [only] = results
  // no label is theirs alone: all pods of the namespace
  expect(only).toMatchObject({
    outcome: 'fail',
    failed: 12,
    advice: { change: { edits: [{ kind: 'add-peer', peer: { text: 'podSelector {}' } }] } },
  })
  const [both] = withAdvice(scene, runSuite(scene, testOf(["{from: 'shop/c*', to: 'shop/c*', port: 80, expect: deny}"]))).results
  // twelve policies are not added by three edits
  expect(both).toMatchObject({ outcome: 'fail', failed: 132, advice: 'none' })
  const [one] = withAdvice(scene, runSuite(scene, testOf(['{from: {any: true}, to: shop/api, port: 8080, expect: deny}']))).results
  expect(one).toMatchObject({ failed: 2, advice: { change: { edits: [{ kind: 'remove-rule' }] } } })
})

describe('random clusters', () => {
  const items = (seed: number) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items: randomCluster(seed, 1).objects })

  for (let seed = 1; seed <= 25; seed++) {
    test(`${seed}: wildcards are every pair, however they are grouped`, () => {
      const scene = sceneOf(items(seed))
      const ends = scene.world.endpoints.filter(({ kind }) => kind !== 'host')
      const ports = portClasses([scene.world]).filter(({ ranges }) => ranges.length > 0)
      for (const expected of ['allow', 'deny'] as const) {
        const wanted = expectation(`{from: {any: true}, to: {any: true}, ports: all, expect: ${expected}}`)
        const found = { checked: 0, failed: 0, unknown: 0 }
        for (const from of ends) {
          for (const to of ends) {
            if (from === to) continue
            for (const port of ports) {
              found.checked++
              const flow = { source: endOf(from), destination: endOf(to), protocol: port.protocol, port: portOf(port) as number }
              const kind = shortfallOf(evaluate(scene.world, flow), wanted)
              if (kind !== undefined) found[kind === 'unknown' ? 'unknown' : 'failed']++
            }
          }
        }
        // of more than a hundred, which half of these clusters have, those that nothing tells apart are asked once
        expect(runExpectation(scene, wanted)).toMatchObject(found)
      }
    })

    test(`${seed}: a change that is advised does what it says`, () => {
      const scene = sceneOf(items(seed))
      const ends = scene.world.endpoints.filter(({ kind }) => kind !== 'host')
      for (const [i, from] of ends.entries()) {
        const to = ends[(i + 1) % ends.length]
        if (!to || from === to) continue
        const flow = { source: endOf(from), destination: endOf(to), protocol: 6, port: 80 }
        const { verdict } = evaluate(scene.world, flow)
        if (verdict !== 'allow' && verdict !== 'deny') continue
        const wanted = verdict === 'allow' ? 'deny' : 'allow'
        const change = smallestChange(scene.world, [flow], wanted)
        if (change) expect(['l4-only', wanted]).toContain(evaluate(change.world, flow).verdict)
      }
    })
  }
})
