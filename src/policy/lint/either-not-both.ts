import { type Check, type LintInput, nameOf } from './finding.ts'
import { isKubernetesPolicy, peerLists } from './peer-lists.ts'

/** Two dashes where one was meant: `- namespaceSelector: …` and `- podSelector: …` are two peers, of which one is enough. */
export const eitherNotBoth: Check = {
  code: 'LNT010',
  severity: 'note',
  title: 'A namespaceSelector and a podSelector stand as two peers: either is enough',
  *find({ loaded }: LintInput) {
    for (const { resource, object } of loaded) {
      if (!isKubernetesPolicy(resource)) continue
      for (const { peers, path } of peerLists(resource)) {
        for (const [i, peer] of peers.entries()) {
          const before = peers[i - 1]
          if (!before?.namespaceSelector || before.podSelector || !peer.podSelector || peer.namespaceSelector) continue
          if (peer.podSelector.kind === 'all') continue
          yield {
            at: { object, path: [...path, i] },
            message: `${nameOf({ origin: { object, path: [] } })} names here pods of its own namespace, beside all pods of the namespaces in the peer before`,
            fix: 'if pods of those namespaces are meant, put both selectors into one peer: take away this dash',
          }
        }
      }
    }
  },
}
