import { describe, expect, it } from 'vitest'
import {
  entitySelector,
  globalSubject,
  namespacedSubject,
  namespaceLabels,
  podLabels,
  serviceAccountLabels,
} from '../../../src/cluster/selector/calico.ts'
import { canonical } from '../../../src/cluster/selector/canonical.ts'
import { matches } from '../../../src/cluster/selector/evaluate.ts'
import { inheriting, labelMap } from '../../../src/cluster/selector/labels.ts'
import { parseSelector } from '../../../src/cluster/selector/parse.ts'
import type { Selector } from '../../../src/cluster/selector/types.ts'

/** A field of a policy: absent and empty are the same. */
function read(text: string | undefined): Selector | undefined {
  if (text === undefined || text === '') return undefined
  const selector = parseSelector(text)
  if (selector.kind === 'error') throw new Error(selector.message)
  return selector
}

// expectations: the texts that updateprocessors/{networkpolicyprocessor,globalnetworkpolicyprocessor,rules}.go compose, read by hand
describe('subjects', () => {
  it.each([
    ['', '', 'projectcalico.org/namespace == "shop"'],
    ['all()', '', '(all() && projectcalico.org/namespace == "shop")'],
    ["a == 'b' || has(c)", '', '((a == "b" || has(c)) && projectcalico.org/namespace == "shop")'],
    ['has(a)', "b != 'c'", '((has(a) && projectcalico.org/namespace == "shop") && pcsa.b != "c")'],
    ['', 'all()', '(projectcalico.org/namespace == "shop" && all())'],
  ])('of a NetworkPolicy: %s | %s', (selector, account, expected) => {
    expect(canonical(namespacedSubject('shop', read(selector), read(account)))).toBe(expected)
  })

  it.each([
    ['', '', '', 'all()'],
    ['has(a)', '', '', 'has(a)'],
    ['', 'all()', '', 'has(projectcalico.org/namespace)'],
    ['all()', "ns != 'x'", '', '(has(projectcalico.org/namespace) && pcns.ns != "x")'],
    ['', "ns != 'x'", '', 'pcns.ns != "x"'],
    ['has(a)', "!(ns == 'x' || all())", '', '(has(a) && !(pcns.ns == "x" || has(projectcalico.org/namespace)))'],
    ['all()', '', "b == 'c'", '(has(projectcalico.org/serviceaccount) && pcsa.b == "c")'],
    [
      'all()',
      'all()',
      'all()',
      '((has(projectcalico.org/namespace) && has(projectcalico.org/namespace)) && has(projectcalico.org/serviceaccount))',
    ],
    ['', '!(!has(n))', '', 'has(pcns.n)'],
  ])('of a GlobalNetworkPolicy: %s | %s | %s', (selector, namespace, account, expected) => {
    expect(canonical(globalSubject(read(selector), read(namespace), read(account)))).toBe(expected)
  })
})

describe('entities of rules', () => {
  const own = 'projectcalico.org/namespace == "shop"'
  const sa = 'projectcalico.org/serviceaccount in {"a", "b"}'
  it.each<[string, { s?: string; ns?: string; names?: string[]; sa?: string; negated?: boolean }, string | undefined, string | undefined]>([
    ['nothing', {}, undefined, undefined],
    ['a selector', { s: 'has(x)' }, `(${own} && has(x))`, 'has(x)'],
    ['only a notSelector', { negated: true }, own, undefined],
    ['a namespaceSelector', { ns: "t == 'u'" }, 'pcns.t == "u"', 'pcns.t == "u"'],
    ['all namespaces', { ns: 'all()' }, 'has(projectcalico.org/namespace)', 'has(projectcalico.org/namespace)'],
    [
      'no namespace',
      { ns: 'global()', s: 'has(x)' },
      '(!has(projectcalico.org/namespace) && has(x))',
      '(!has(projectcalico.org/namespace) && has(x))',
    ],
    ['not no namespace', { ns: '!global()' }, 'has(projectcalico.org/namespace)', 'has(projectcalico.org/namespace)'],
    ['account names', { names: ['b', 'a'] }, `(${own} && ${sa})`, sa],
    ['account names and selector', { names: ['a', 'b'], sa: 'has(r)' }, `(${own} && (has(pcsa.r) && ${sa}))`, `(has(pcsa.r) && ${sa})`],
    [
      'everything',
      { s: 'all()', ns: 'has(n)', names: ['a', 'b'], sa: 'has(r)' },
      `(has(pcns.n) && ((has(pcsa.r) && ${sa}) && all()))`,
      `(has(pcns.n) && ((has(pcsa.r) && ${sa}) && all()))`,
    ],
  ])('%s', (_, given, inShop, global) => {
    const [selector, namespaceSelector, serviceAccountSelector] = [read(given.s), read(given.ns), read(given.sa)]
    const entity = {
      ...(selector && { selector }),
      ...(namespaceSelector && { namespaceSelector }),
      ...(given.names && { serviceAccountNames: given.names }),
      ...(serviceAccountSelector && { serviceAccountSelector }),
      negated: given.negated ?? false,
    }
    const text = (namespace: string | undefined): string | undefined => {
      const result = entitySelector(entity, namespace)
      return result && canonical(result)
    }
    expect(text('shop')).toBe(inShop)
    expect(text(undefined)).toBe(global)
  })
})

describe('labels of endpoints', () => {
  const none = labelMap({})
  const parents = [namespaceLabels('shop', labelMap({ team: 'red' })), serviceAccountLabels('api', labelMap({ role: 'server' }))]

  it('a pod has its own, its namespace’s and its account’s', () => {
    const pod = inheriting(podLabels('shop', labelMap({ app: 'web' }), 'api'), parents)
    expect(Object.fromEntries(pod)).toEqual({
      app: 'web',
      'projectcalico.org/namespace': 'shop',
      'projectcalico.org/orchestrator': 'k8s',
      'projectcalico.org/serviceaccount': 'api',
      'pcns.team': 'red',
      'pcns.projectcalico.org/name': 'shop',
      'pcsa.role': 'server',
      'pcsa.projectcalico.org/name': 'api',
    })
  })

  it('a pod cannot pretend to be elsewhere', () => {
    const forged = labelMap({ 'pcns.team': 'blue', 'pcsa.role': 'admin', 'projectcalico.org/namespace': 'kube-system' })
    const pod = inheriting(podLabels('shop', forged, undefined), parents)
    expect([pod.get('pcns.team'), pod.get('pcsa.role'), pod.get('projectcalico.org/namespace')]).toEqual(['red', 'server', 'shop'])
  })

  it('a host endpoint is in no namespace, and in those that are not called x', () => {
    const host = labelMap({ 'node-role': 'edge' })
    const subject = (...texts: string[]) => globalSubject(...texts.map(read))
    expect(matches(subject('all()'), host)).toBe(true)
    expect(matches(subject('', 'all()'), host)).toBe(false)
    expect(matches(subject('', "team != 'x'"), host)).toBe(true)
    expect(matches(subject('all()', "team != 'x'"), host)).toBe(false)
    expect(matches(subject('has(node-role)', "team != 'x'"), host)).toBe(true)
    expect(matches(subject('all()', '', "role != 'x'"), inheriting(podLabels('shop', none, undefined), []))).toBe(false)
  })
})
