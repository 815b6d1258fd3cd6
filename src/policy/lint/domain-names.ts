import { type Check, nameOf } from './finding.ts'

export const domainNamesRefused: Check = {
  code: 'LNT019',
  severity: 'warning',
  title: 'domainNames stand in a rule that does not accept',
  *find({ loaded }) {
    for (const { resource, object } of loaded) {
      if (resource.kind !== 'AdminNetworkPolicy' && resource.kind !== 'ClusterNetworkPolicy') continue
      for (const [i, { action, peers }] of resource.egress.entries()) {
        if (action === 'Accept') continue
        for (const [p, peer] of peers.entries()) {
          if (peer.kind !== 'domainNames') continue
          yield {
            at: { object, path: ['spec', 'egress', i, 'to', p, 'domainNames'] },
            message: `domainNames in a rule of ${nameOf({ origin: { object, path: [] } })} with action ${action}: the API has them for rules that accept only, and what can't do them denies everything`,
            fix: 'accept the names that are wanted, and deny the rest by networks',
          }
        }
      }
    }
  },
}
