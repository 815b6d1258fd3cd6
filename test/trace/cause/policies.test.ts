/** Policies: what Felix's endpoint chains say, in the words of the policies that they are made of. */
import { describe, expect, test } from 'vitest'
import { interfaceOfPod } from '../../../src/trace/attribution/interface-names.ts'
import { causes, type Made, made, p1 } from './made.ts'

const direct = { from: p1, dst: '10.244.2.2', port: 8080 }
const veth = interfaceOfPod({ namespace: 'shop', name: 'p2' }, made().cluster)
const tw = `cali-tw-${veth}`

let hash = 0
/** a rule of Felix: with its hash, and a remark for people */
const felix = (chain: string, what: string, remark?: string, header = ''): string =>
  `-A ${chain} ${header}-m comment --comment "cali:${String(++hash).padStart(16, '0')}"${remark ? ` -m comment --comment "${remark}"` : ''} ${what}`

/** The rules on the way to pod p2. */
const guard = (m: Made, ...rules: string[]): void =>
  void m.n2.filter.push(
    felix('FORWARD', '-j cali-FORWARD'),
    felix('cali-FORWARD', '-j cali-to-wl-dispatch', undefined, '-o cali+ '),
    felix('cali-to-wl-dispatch', `-g ${tw}`),
    ...rules,
  )

const startOf = (tier: string): string => felix(tw, '-j MARK --set-xmark 0x0/0x20000', `Start of tier ${tier}`)
const endOf = (tier: string): string =>
  felix(tw, '-m mark --mark 0x0/0x20000 -j DROP', `End of tier ${tier}. Drop if no policies passed packet`)

function one(change: (m: Made) => void): object {
  const found = causes(made(change), direct)
  expect(found).toHaveLength(1)
  return found[0] as object
}

describe('no policy admits', () => {
  test('all policies of the tier that apply are named, and the drop rule is the evidence', () => {
    const rules = [startOf('default'), felix(tw, '-j cali-pi-knp/shop/allow-a'), felix(tw, '-j cali-pi-knp/shop/allow-b'), endOf('default')]
    expect(one((m) => guard(m, ...rules, felix('cali-pi-knp/shop/allow-a', ''), felix('cali-pi-knp/shop/allow-b', '')))).toMatchObject({
      node: 'n2',
      kind: 'policy',
      entry:
        'no ingress rule of networkpolicy shop/allow-a and networkpolicy shop/allow-b admits 10.244.1.2 → 10.244.2.2:8080/tcp (pod shop/p2)',
      object: 'networkpolicy/shop/allow-a, networkpolicy/shop/allow-b',
      evidence: { file: 'nodes/n2/iptables-save.txt', text: rules.at(-1) },
    })
  })

  test('only the tier that drops counts; groups are looked into; staged policies decide nothing', () => {
    const rules = [
      startOf('security'),
      felix(tw, '-j cali-pi-gnp/security.open'),
      felix(tw, '-j MARK --set-xmark 0x20000/0x20000'),
      startOf('audit'),
      felix(tw, '-j cali-gi-GROUPaaaaaaaaaaaa'),
      endOf('audit'),
    ]
    const chains = [
      felix('cali-pi-gnp/security.open', ''),
      felix('cali-gi-GROUPaaaaaaaaaaaa', '-j cali-pi-gnp/audit.first'),
      felix('cali-gi-GROUPaaaaaaaaaaaa', '-j cali-pi-sgnp/audit.planned'),
      felix('cali-pi-gnp/audit.first', ''),
      felix('cali-pi-sgnp/audit.planned', ''),
    ]
    expect(one((m) => guard(m, ...rules, ...chains))).toMatchObject({
      entry: 'no ingress rule of globalnetworkpolicy audit.first in tier audit admits 10.244.1.2 → 10.244.2.2:8080/tcp (pod shop/p2)',
      object: 'globalnetworkpolicy/audit.first',
    })
  })

  test('no policy at all, and no profile that takes it', () => {
    expect(one((m) => guard(m, felix(tw, '-j DROP', 'Drop if no profiles matched')))).toMatchObject({
      node: 'n2',
      kind: 'policy',
      entry: 'no policy and no profile admits 10.244.1.2 → 10.244.2.2:8080/tcp (pod shop/p2)',
      object: 'pod/shop/p2',
    })
  })
})

describe('a rule of Felix drops', () => {
  test('a policy that denies', () => {
    const rules = [
      startOf('default'),
      felix(tw, '-j cali-pi-gnp/block'),
      endOf('default'),
      felix('cali-pi-gnp/block', '-j MARK --set-xmark 0x40000/0x40000'),
      felix('cali-pi-gnp/block', '-m mark --mark 0x40000/0x40000 -j DROP'),
    ]
    expect(one((m) => guard(m, ...rules))).toMatchObject({
      node: 'n2',
      kind: 'policy',
      entry: 'a deny rule of globalnetworkpolicy block drops 10.244.1.2 → 10.244.2.2:8080/tcp (pod shop/p2)',
      object: 'globalnetworkpolicy/block',
      evidence: { text: rules.at(-1) },
    })
  })

  test('a guard that is no policy', () => {
    expect(one((m) => guard(m, felix(tw, '-j DROP', 'Drop what nobody asked for', '-p tcp ')))).toMatchObject({
      node: 'n2',
      kind: 'rule',
      entry: expect.stringMatching(/^Drop what nobody asked for: -A cali-tw-/),
    })
  })

  test("a rule in Felix's chain that Felix did not write is somebody else's", () => {
    expect(one((m) => guard(m, `-A ${tw} -p tcp -j DROP`))).toMatchObject({
      node: 'n2',
      kind: 'rule',
      entry: `-A ${tw} -p tcp -j DROP (filter FORWARD)`,
    })
  })
})
