/** netctl policy eval as its users run it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { netctl } from '../../support/netctl.ts'

const shop = ['-f', 'examples/policies/shop']
const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l))

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'netctl-eval-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

test.each([
  ['allowed', ['deploy/shop/web', 'svc/shop/api:80'], 0],
  ['the namespace of -n, the only port', ['deploy/web', 'svc/api', '-n', 'shop'], 0],
  ['denied', ['deploy/shop/web', 'sts/data/db'], 1],
  ['one of two ports denied', ['deploy/shop/web', 'deploy/shop/api', '--port', '8080', '--port', 'metrics'], 1],
  ['from outside', ['203.0.113.9', 'deploy/shop/web:8080'], 0],
  ['undefined by the API', ['deploy/shop/api', 'sts/data/db/icmp'], 3],
  ['no such workload', ['deploy/shop/wbe', 'sts/data/db'], 2],
  ['several ports, none said', ['deploy/shop/web', 'deploy/shop/api'], 2],
  ['no destination', ['deploy/shop/web'], 2],
])('exit code: %s', async (_what, args, code) => {
  expect((await netctl(['policy', 'eval', ...args, ...shop])).code).toBe(code)
})

test('a pod behind a Service at two addresses: which line is which', async () => {
  const slice = (name: string, type: string, ip: string) => `
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: ${name}, namespace: shop, labels: {kubernetes.io/service-name: api}},
  addressType: ${type}, ports: [{port: 8080, protocol: TCP}], endpoints: [{addresses: ["${ip}"], conditions: {ready: true}}]}`
  const path = file(
    'two-families.yaml',
    `{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop}, status: {phase: Running, podIP: 10.1.0.1, podIPs: [{ip: 10.1.0.1}, {ip: "fd00::1"}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: api, namespace: shop}, status: {phase: Running, podIP: 10.1.0.2, podIPs: [{ip: 10.1.0.2}, {ip: "fd00::2"}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: api, namespace: shop}, spec: {clusterIPs: [10.96.0.9, "fd96::9"], ports: [{port: 80, targetPort: 8080, protocol: TCP}]}}${slice('api-4', 'IPv4', '10.1.0.2')}${slice('api-6', 'IPv6', 'fd00::2')}
`,
  )
  const { stdout, code } = await netctl(['policy', 'eval', 'pod/shop/web', 'svc/shop/api:80', '-f', path])
  expect(stdout.split('\n')).toEqual([
    '✓ allowed  pod/shop/web → pod/shop/api:8080/tcp (IPv4)',
    '✓ allowed  pod/shop/web → pod/shop/api:8080/tcp (IPv6)',
    '2 flows: 2 allowed',
    '',
  ])
  expect(code).toBe(0)
})

test('text: the answer, and what decides each direction', async () => {
  const { stdout, stderr } = await netctl(['policy', 'eval', 'deploy/shop/web', 'svc/shop/api:80', ...shop])
  expect(stdout).toBe(
    [
      '✓ ALLOWED  deploy/shop/web → deploy/shop/api:8080/tcp',
      '  egress   ✓ allow     left to profile kns.shop',
      '  ingress  ✓ allow     NetworkPolicy shop/api, rule 0        examples/policies/shop/policies.yaml:24',
      '',
    ].join('\n'),
  )
  expect(stderr).toBe('svc/shop/api:80 leads to shop/api[Deployment]\n')
})

describe('--flows', () => {
  const flows = [
    { id: 'a', src: 'shop/web[Deployment]', dst: 'shop/api[Deployment]', protocol: 'TCP', port: 8080 },
    { src: 'shop/web[Deployment]', dst: 'data/db[StatefulSet]', protocol: 'TCP', port: 5432, note: 'ignored' },
    { src: 'shop/web[Deployment]', dst: '169.254.169.254', protocol: 'TCP', port: 80 },
    { src: 'shop/api[Deployment]', dst: 'data/db[StatefulSet]', protocol: 'ICMP' },
  ]
  const input = flows.map((f) => JSON.stringify(f)).join('\n')

  test('one object a line, in their order', async () => {
    const { code, stdout, stderr } = await netctl(['policy', 'eval', ...shop, '--flows', '-', '-o', 'jsonl'], { input })
    expect([code, stderr]).toEqual([0, ''])
    const [api, db, metadata, ping] = lines(stdout)
    expect(api).toEqual({
      id: 'a',
      allowed: true,
      verdict: 'allow',
      egress: {
        verdict: 'allow',
        profile: 'kns.shop',
        rule: 0,
        action: 'allow',
        path: ['tier=security GlobalNetworkPolicy:/security.no-cloud-metadata rule=1 next-tier', 'profile=kns.shop rule=0 allow'],
      },
      ingress: {
        verdict: 'allow',
        tier: 'default',
        policy: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', namespace: 'shop', name: 'api' },
        rule: 0,
        action: 'allow',
        file: 'examples/policies/shop/policies.yaml',
        line: 24,
        path: ['tier=default KubernetesNetworkPolicy:shop/api rule=0 allow'],
      },
    })
    expect(db).toMatchObject({
      allowed: false,
      verdict: 'deny',
      ingress: {
        verdict: 'deny',
        tier: 'default',
        action: 'end-of-tier',
        policies: [{ namespace: 'data', name: 'db' }],
        line: 29,
        path: ['tier=default end-of-tier Deny'],
      },
    })
    expect(metadata).toMatchObject({
      allowed: false,
      egress: { policy: { kind: 'GlobalNetworkPolicy', name: 'security.no-cloud-metadata' }, rule: 0, action: 'deny', line: 25 },
      ingress: { verdict: 'n/a', path: [] },
    })
    expect(ping).toMatchObject({ allowed: false, verdict: 'undefined', reasons: [{ kind: 'undefined', direction: 'ingress' }] })
  })

  test('json is one list, text one line each and a sum', async () => {
    const asJson = await netctl(['policy', 'eval', ...shop, '--flows', '-', '-o', 'json'], { input })
    expect(JSON.parse(asJson.stdout)).toHaveLength(4)
    const { stdout } = await netctl(['policy', 'eval', ...shop, '--flows', '-'], { input })
    expect(stdout.trim().split('\n').at(-1)).toBe('4 flows: 1 allowed, 2 denied, 1 undefined')
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('ingress: NetworkPolicy data/db isolates the pod')
  })

  test.each([
    ['manifests', ['-f', '-', '--flows', '-']],
    ['manifests twice', ['a/x', 'a/y:1', '-f', '-', '--with', '-']],
  ])('standard input is read once: %s', async (_, words) => {
    const { code, stderr } = await netctl(['policy', 'eval', ...words], {
      input: 'apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: a}\n',
    })
    expect([code, stderr]).toEqual([2, expect.stringContaining('only once (USE011)')])
  })

  test('a bad line: its number, and nothing judged', async () => {
    const { code, stdout, stderr } = await netctl(['policy', 'eval', ...shop, '--flows', '-', '-o', 'jsonl'], {
      input: `${input}\n{"src": 1}\n`,
    })
    expect(code).toBe(2)
    expect(JSON.parse(stdout).error).toMatchObject({ file: '(stdin)', line: 5 })
    expect(stderr).toBe('')
  })

  test('not beside SRC and DST, or what narrows one flow', async () => {
    expect((await netctl(['policy', 'eval', 'a/b', 'c/d', ...shop, '--flows', '-'], { input })).code).toBe(2)
    expect((await netctl(['policy', 'eval', ...shop, '--flows', '-', '--port', '80'], { input })).code).toBe(2)
  })
})

test('what the API would refuse is left out, named on stderr, and makes the exit code 2', async () => {
  const bad = file(
    'bad.yaml',
    `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Egres]
`,
  )
  const { code, stdout, stderr } = await netctl(['policy', 'eval', 'deploy/shop/web', 'svc/shop/api:80', ...shop, '--with', bad])
  expect(code).toBe(2)
  expect(stdout).toMatch(/^✓ ALLOWED/)
  expect(stderr).toContain(
    `refused: ${bad}:6: NetworkPolicy shop/closed: spec.policyTypes[0]: must be Ingress or Egress, not "Egres" (POL001)`,
  )
})

test('--with: what if', async () => {
  const closed = file(
    'closed.yaml',
    'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: closed, namespace: shop}\nspec: {podSelector: {}, policyTypes: [Egress]}\n',
  )
  const { code, stdout } = await netctl(['policy', 'eval', 'deploy/shop/web', 'svc/shop/api:80', ...shop, '--with', closed, '-q'])
  expect([code, stdout]).toEqual([1, '✗ DENIED  deploy/shop/web → deploy/shop/api:8080/tcp\n'])
})

test('names that a terminal would obey are shown, not obeyed', async () => {
  const hostile = file(
    'hostile.yaml',
    'apiVersion: v1\nkind: Pod\nmetadata: {name: "\\e[31mevil\\r\\n::error::", namespace: a}\nspec: {"\\e[2J": 1, containers: []}\n',
  )
  const { stdout, stderr } = await netctl(['policy', 'eval', '10.0.0.1', '10.0.0.2:80', ...shop, '-f', hostile])
  expect(stderr).toContain('\\x1b[31mevil\\r\\n::error::')
  expect(`${stdout}${stderr}`).not.toMatch(/[\u001b\r]/)
})
