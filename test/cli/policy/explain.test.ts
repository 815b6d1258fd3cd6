/** netctl policy explain as its users run it. */
import { expect, test } from 'vitest'
import { netctl } from '../../support/netctl.ts'

const shop = ['-f', 'examples/policies/shop']
const denied = ['policy', 'explain', 'deploy/shop/web', 'sts/data/db', ...shop]

test('every policy at both ends, what failed, and the lines that decide', async () => {
  const { code, stdout } = await netctl(denied)
  expect(code).toBe(1)
  expect(stdout.split('\n').slice(0, 18)).toEqual([
    '✗ DENIED  deploy/shop/web → sts/data/db:5432/tcp',
    '',
    'Egress from deploy/shop/web                                                                  ✓ allow',
    '  tier security  order 100',
    '    GlobalNetworkPolicy security.no-cloud-metadata  order 2  examples/policies/shop/security.yaml:16',
    '      · rule 0  deny  protocol: TCP, destination: {nets: [169.254.169.254/32], ports: [80]}',
    '        destination ports: wants port 80; it is port 5432',
    '        destination networks: wants 169.254.169.254/32; it is an unknown address',
    '      ✓ rule 1  pass  everything  ← passes to the next tier',
    '        examples/policies/shop/security.yaml:28  - action: Pass',
    '  ✓ profile kns.shop, rule 0 allow  ← decides',
    '',
    'Ingress to sts/data/db                                                                        ✗ deny',
    '  tier default  order 1000000',
    '    NetworkPolicy data/db  order 1000                        examples/policies/shop/policies.yaml:29',
    '      · rule 0  allow',
    '        from: [{namespaceSelector: kubernetes.io/metadata.name=shop, podSelector: app=api}], ports:',
    '        [5432/TCP]',
  ])
  expect(stdout).toMatch(/^ {8}source selector: wants .*app == "api"/m)
  expect(stdout).toMatch(/^ {4}✗ no rule matched: end of tier, deny {2}← decides$/m)
})

test('json: the verdict, then tiers, policies and rules with places', async () => {
  const { stdout } = await netctl([...denied, '-o', 'json'])
  const document = JSON.parse(stdout)
  expect(document).toMatchObject({
    kind: 'PolicyExplanation',
    allowed: false,
    flow: { src: 'shop/web[Deployment]', protocol: 'TCP', port: 5432 },
  })
  expect(document.tiers.egress[0]).toMatchObject({
    tier: 'security',
    reached: true,
    policies: [
      {
        policy: { name: 'security.no-cloud-metadata' },
        line: 16,
        rules: [{ match: 'mismatch' }, { match: 'match', decided: true, line: 28 }],
      },
    ],
  })
  expect(document.tiers.ingress[0]).toMatchObject({
    endOfTier: 'Deny',
    policies: [{ rules: [{ rule: 0, match: 'mismatch', failed: [{ criterion: 'source selector' }] }] }],
  })
})

test.each([40, 60, 80, 120])('at %i columns no line is wider, unless by a path that must not be cut', async (columns) => {
  const { stdout } = await netctl([...denied, '-v'], { env: { COLUMNS: String(columns) } })
  for (const line of stdout.split('\n')) if (!line.includes('.yaml:')) expect(line.length).toBeLessThanOrEqual(columns)
})
