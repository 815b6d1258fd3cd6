/**
 * What policies mean against what packets did: the flows of the recorded clusters, run by real Calico.
 */
import { describe, expect, it } from 'vitest'
import { captureNames } from '../support/captures.ts'
import { needs } from '../support/needs.ts'
import { truthOf, worldOf } from './captures.ts'
import { atHosts, contradiction } from './packets.ts'

/** Where packets are lost that policies allow. The other way round no fault helps. */
const FAULTS: Readonly<Record<string, string>> = {
  'broken-admin-chain': 'a chain of somebody else drops',
  'broken-bgp-session': 'routes are missing',
  'broken-hep-ipv6-ndp': 'host endpoint policies drop neighbour discovery',
  'broken-ip-forward': 'a node does not forward',
  'broken-missing-route': 'a route is missing',
  'broken-mtu': 'big packets are lost',
  'broken-rp-filter': 'a node drops what comes in by another way than answers go',
  'broken-veth-deleted': 'a pod has no device',
  'broken-vxlan-down': 'a tunnel is down',
  'ipip-crosssubnet-ipvs-dualstack': 'host endpoint policies of n3 drop IPv6 neighbour discovery',
}

describe.runIf(needs('captures'))('packets of recorded clusters', () => {
  for (const name of captureNames()) {
    const truth = truthOf(name).filter(({ via }) => via.startsWith('pod') || via.startsWith('svc'))
    if (truth.length > 0)
      it(name, () => {
        const world = worldOf(name)
        expect(truth.flatMap((flow) => contradiction(world, flow, FAULTS[name] !== undefined))).toEqual([])
      })

    const toHosts = truthOf(name).filter(
      ({ from, via }) => from.kind !== 'pod' && (via.startsWith('node') || via.includes('(hostNetwork)')),
    )
    if (toHosts.length > 0)
      it(`host endpoints of ${name}`, () => {
        const world = worldOf(name)
        expect(toHosts.flatMap((flow) => atHosts(world, flow, FAULTS[name] !== undefined))).toEqual([])
      })
  }
})
