/**
 * A host's own packets to pods of other nodes: into a tunnel they leave by its device, where the endpoint of another interface has no say
 * (felix/rules/static.go; real Calico on the test cluster: what it let pass by VXLAN is what these cases are of).
 */
import { describe, expect, it } from 'vitest'
import { pathOf } from '../../src/policy/path.ts'
import { ask, global } from './made.ts'
import { worldOfText } from './world.ts'

const node = (name: string, address: string, six: string) => `
---
apiVersion: v1
kind: Node
metadata: {name: ${name}, annotations: {projectcalico.org/IPv4Address: ${address}, projectcalico.org/IPv6Address: '${six}'}}
status: {addresses: [{type: InternalIP, address: ${address.split('/')[0]}}, {type: InternalIP, address: '${six.split('/')[0]}'}]}`

const pod = (name: string, on: string, four: string, six: string) => `
---
apiVersion: v1
kind: Pod
metadata: {namespace: a, name: ${name}}
spec: {nodeName: ${on}, containers: [{name: c}]}
status: {podIPs: [{ip: ${four}}, {ip: '${six}'}]}`

const nodes =
  node('n1', '192.0.2.1/24', 'fd00:1::1/64') + node('n2', '192.0.2.2/24', 'fd00:1::2/64') + node('n3', '198.51.100.3/24', 'fd00:3::3/64')
const pods =
  pod('own', 'n1', '10.0.1.5', 'fd10:1::5') + pod('near', 'n2', '10.0.2.5', 'fd10:2::5') + pod('far', 'n3', '10.0.3.5', 'fd10:3::5')

const host = (interfaceName: string) => `
---
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: h, labels: {is: host}}
spec: {node: n1, interfaceName: ${interfaceName}, expectedIPs: [192.0.2.1, 'fd00:1::1']}`

const denied = `\n---${global('closed', "selector: is == 'host', egress: [{action: Deny}]")}`

const pool = (mode: string) => `
---
apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: four}
spec: {cidr: 10.0.0.0/16, ${mode}}
---
apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: six}
spec: {cidr: 'fd10::/16', ${mode.replace('ipipMode', 'vxlanMode')}}`

const all = ['own', 'near', 'far'] as const
const asked = (text: string) => {
  const world = worldOfText(nodes + pods + host('eth0') + denied + text)
  return all.map((name) => ask(world, 'hep:h', `a/${name}`).egress.verdict)
}

describe('a host endpoint on eth0 that denies all egress', () => {
  it.each([
    ['vxlanMode: Always', ['allow', 'allow', 'allow']],
    ['ipipMode: Always', ['allow', 'allow', 'allow']],
    ['vxlanMode: CrossSubnet', ['allow', 'deny', 'allow']],
    ['ipipMode: CrossSubnet', ['allow', 'deny', 'allow']],
    ['vxlanMode: Never, ipipMode: Never', ['allow', 'deny', 'deny']],
    ['natOutgoing: true', ['allow', 'deny', 'deny']],
  ])('pods of its own node, of its subnet and beyond, by pools of %s', (mode, verdicts) => {
    expect(asked(pool(mode))).toEqual(verdicts)
  })

  it('is a no where no pool tells, and the tunnel is named', () => {
    const verdict = ask(worldOfText(nodes + pods + host('eth0') + denied), 'hep:h', 'a/far')
    expect(verdict).toMatchObject({ allowed: false, notes: [expect.stringMatching(/^if packets from n1 to a\/far go into a tunnel /)] })
    const near = ask(worldOfText(nodes + pods + host('eth0') + denied + pool('vxlanMode: Never')), 'hep:h', 'a/near')
    expect(near.notes).toEqual([])
  })

  it('says why it was not asked', () => {
    const world = worldOfText(nodes + pods + host('eth0') + denied + pool('vxlanMode: Always'))
    expect(pathOf(ask(world, 'hep:h', 'a/far').egress)).toEqual(['out by a tunnel: allow'])
    // another node is no pod, and its hooks are asked as they are
    expect(ask(world, 'hep:h', 'node/n2').egress.verdict).toBe('deny')
  })

  it('nor one for all interfaces, which has a say about the tunnel as well', () => {
    const world = worldOfText(nodes + pods + host("'*'") + denied + pool('vxlanMode: Always'))
    expect(all.map((name) => ask(world, 'hep:h', `a/${name}`).egress.verdict)).toEqual(['allow', 'deny', 'deny'])
  })
})
