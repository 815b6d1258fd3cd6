import { describe, expect, test } from 'vitest'
import { readManifest } from '../../../src/cluster/manifest/read.ts'
import type { ManifestObject } from '../../../src/cluster/manifest/types.ts'
import { NetctlError } from '../../../src/error.ts'
import { glob } from '../../../src/policy/test/glob.ts'
import { readPolicyTest } from '../../../src/policy/test/read.ts'

const HEAD = 'apiVersion: netctl.dev/v1alpha1\nkind: PolicyTest\nmetadata: {name: shop}\nspec:\n  tests:\n'

const document = (text: string) => readPolicyTest(readManifest(text, 't.yaml', { namespace: 'default' }).objects[0] as ManifestObject)
const one = (entry: string) => document(`${HEAD}  - ${entry}\n`).expectations[0]

function refusal(text: string): NetctlError {
  try {
    document(text)
  } catch (error) {
    if (error instanceof NetctlError) return error
    throw error
  }
  throw new Error('not refused')
}

describe('readPolicyTest', () => {
  test('a whole document', () => {
    const read = document(`
apiVersion: netctl.dev/v1alpha1
kind: PolicyTest
metadata: {name: shop}
spec:
  manifests: [../policies, pods.yaml]
  tests:
  - name: web reaches api
    from: deploy/shop/web
    to: svc/shop/api:http
    expect: allow
    by: shop/api-ingress
  - from: {namespace: 'shop*', labels: {app: web}}
    to: 'data/db-*'
    ports: [5432, 53/udp, metrics]
    expect: deny
    staged: true
`)
    expect(read).toMatchObject({ name: 'shop', manifests: ['../policies', 'pods.yaml'] })
    const [first, second] = read.expectations
    expect(first).toMatchObject({ name: 'web reaches api', expect: 'allow', by: 'shop/api-ingress', staged: false, index: 0 })
    expect(first?.from).toMatchObject({ kind: 'typed', ref: { target: { type: 'deploy', namespace: 'shop', name: 'web' } } })
    expect(first?.ports).toEqual({ kind: 'list', ports: [{ port: 'http' }] })
    expect(second?.from).toMatchObject({ kind: 'pods', text: 'namespace shop*, app=web', labels: [{ key: 'app' }] })
    expect(second?.to).toMatchObject({ kind: 'pods', text: 'data/db-*', namespace: { text: 'data' }, name: { text: 'db-*' } })
    expect(second?.ports).toEqual({ kind: 'list', ports: [{ port: 5432 }, { protocol: 17, port: 53 }, { port: 'metrics' }] })
    expect(second?.staged).toBe(true)
  })

  test.each([
    ['{from: pod/a/b, to: pod/c/d, expect: allow}', { kind: 'declared' }],
    ['{from: pod/a/b, to: pod/c/d, ports: all, expect: deny}', { kind: 'all' }],
    ['{from: pod/a/b, to: pod/c/d, port: 80, protocol: udp, expect: deny}', { kind: 'list', ports: [{ protocol: 17, port: 80 }] }],
    ['{from: pod/a/b, to: pod/c/d, protocol: ICMP, expect: deny}', { kind: 'list', ports: [{ protocol: 1 }] }],
    ['{from: pod/a/b, to: pod/c/d/icmp, expect: deny}', { kind: 'list', ports: [{ protocol: 1 }] }],
    ["{from: pod/a/b, to: '[fd00::5]:53/udp', expect: deny}", { kind: 'list', ports: [{ protocol: 17, port: 53 }] }],
    ['{from: pod/a/b, to: 10.0.0.1:80, protocol: 132, expect: deny}', { kind: 'list', ports: [{ protocol: 132, port: 80 }] }],
  ])('ports of %s', (entry, ports) => {
    expect(one(entry)?.ports).toEqual(ports)
  })

  test('workloads and host endpoints by the names that answers have', () => {
    expect(one("{from: 'shop/web[Deployment]', to: 'hep:n1:22', expect: deny}")).toMatchObject({
      from: { kind: 'typed', ref: { target: { kind: 'bare', namespace: 'shop', name: 'web[Deployment]' } } },
      to: { kind: 'typed', ref: { target: { kind: 'bare', name: 'hep:n1' } } },
      ports: { kind: 'list', ports: [{ port: 22 }] },
    })
  })

  test.each([
    ['{from: pod/a/b, to: pod/c/d, port: 80, expect: alow}', 'spec.tests[0].expect: must be allow or deny, not "alow"'],
    ['{from: pod/a/b, too: pod/c/d, port: 80, expect: allow}', 'spec.tests[0].to: is required'],
    [
      '{from: 10.0.0.0/8, to: pod/c/d, port: 80, expect: allow}',
      'spec.tests[0].from: “10.0.0.0/8” is no endpoint: it is a block of addresses, not one',
    ],
    [
      '{from: svc/a/b, to: pod/c/d, port: 80, expect: allow}',
      'spec.tests[0].from: must not be a Service, which sends nothing (name the pods behind it)',
    ],
    ['{from: {}, to: pod/c/d, port: 80, expect: allow}', 'spec.tests[0].from: selects nothing in particular (any: true means every pod)'],
    ['{from: {any: true, name: x}, to: pod/c/d, port: 80, expect: allow}', 'spec.tests[0].from.any: must stand alone: it means every pod'],
    ['{from: pod/a/b, to: pod/c/d, port: 80, ports: [81], expect: allow}', 'spec.tests[0].port: must not stand beside ports'],
    ['{from: pod/a/b, to: svc/c/d:80, port: 80, expect: allow}', 'spec.tests[0].port: must not be there: to says port 80'],
    ['{from: pod/a/b, to: pod/c/d, port: 70000, expect: allow}', 'spec.tests[0].port: must be between 1 and 65535, not 70000'],
    ['{from: pod/a/b, to: pod/c/d, port: 53/icmp, expect: allow}', 'spec.tests[0].port: must be followed by tcp, udp or sctp, not icmp'],
    ['{from: pod/a/b, to: pod/c/d, port: 53/udp, protocol: UDP, expect: allow}', 'spec.tests[0].port: must not say the protocol again'],
    [
      '{from: pod/a/b, to: pod/c/d, port: 80, protocol: ICMP, expect: allow}',
      'spec.tests[0].protocol: must not be ICMP beside a port: it has none',
    ],
    ['{from: pod/a/b, to: pod/c/d, ports: [], expect: allow}', 'spec.tests[0].ports: must not be empty'],
    [
      "{from: 'web-*', to: pod/c/d, port: 80, expect: allow}",
      'spec.tests[0].from: with a * it must be NAMESPACE/NAME of pods, and ports are said by port or ports',
    ],
    [
      '{from: pod/a/b, to: pod/c/d, port: 80, expect: allow, by: a/b/c}',
      'spec.tests[0].by: must be NAME or NAMESPACE/NAME of a policy, not "a/b/c"',
    ],
  ])('refuses %s', (entry, message) => {
    const error = refusal(`${HEAD}  - ${entry}\n`)
    expect(error).toMatchObject({ code: 'PTE001', exitCode: 2, file: 't.yaml', line: 6 })
    expect(error.message).toBe(message)
  })

  test('every problem has its own line', () => {
    const error = refusal(
      `${HEAD}  - from: pod/a/b\n    to: pod/c/d\n    expect: no\n  - from: pod/a/b\n    to: 10.0.0.0/8\n    expect: allow\n`,
    )
    expect(error).toMatchObject({
      line: 8,
      message: 'spec.tests[0].expect: must be allow or deny, not the boolean false (put it in quotes if it is text)',
    })
    expect(error.have).toEqual([expect.stringMatching(/^t\.yaml:10: spec\.tests\[1\]\.to: /)])
  })

  test('no tests', () => {
    expect(refusal(HEAD.replace('  tests:\n', '  tests: []\n')).message).toBe('spec.tests: must not be empty')
  })
})

test.each([
  ['shop*', ['shop', 'shop-1'], ['ashop', 'sho']],
  ['*', ['', 'x'], []],
  ['a*b*c', ['abc', 'aXbYc', 'abbc'], ['ac', 'acb', 'abcd', 'ab']],
  ['*-db', ['x-db', '-db'], ['db', 'x-db1']],
  ['aa*aa', ['aaaa', 'aaXaa'], ['aaa']],
  ['web', ['web'], ['webs', 'we']],
])('glob %s', (pattern, yes, no) => {
  for (const text of yes) expect([text, glob(pattern).matches(text)]).toEqual([text, true])
  for (const text of no) expect([text, glob(pattern).matches(text)]).toEqual([text, false])
})
