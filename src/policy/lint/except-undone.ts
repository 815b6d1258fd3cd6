import { overlaps, type Prefix, parsePrefix } from '../../net/ip.ts'
import { isWithin } from '../covers.ts'
import { type Check, type LintInput, nameOf } from './finding.ts'
import { isKubernetesPolicy, peerLists } from './peer-lists.ts'

/** Peers of a rule add up: what one excepts another may let in. A part of it may be meant, but hardly all of it. */
export const exceptUndone: Check = {
  code: 'LNT011',
  severity: 'warning',
  title: 'An except of an ipBlock is allowed by another ipBlock of the same rule',
  *find({ loaded }: LintInput) {
    for (const { resource, object } of loaded) {
      if (!isKubernetesPolicy(resource)) continue
      for (const { peers, path } of peerLists(resource)) {
        const blocks = peers.map(
          ({ ipBlock }) => ipBlock && { cidr: prefix(ipBlock.cidr), except: ipBlock.except.map(prefix), text: ipBlock.cidr },
        )
        for (const [i, block] of blocks.entries()) {
          for (const [e, except] of (block?.except ?? []).entries()) {
            const other = blocks.find((x, j) => x && j !== i && lets(x, except))
            if (!other) continue
            yield {
              at: { object, path: [...path, i, 'ipBlock', 'except', e] },
              message: `${nameOf({ origin: { object, path: [] } })} excepts ${peers[i]?.ipBlock?.except[e]} here, and ipBlock ${other.text} of the same rule allows it`,
              fix: `except it from ${other.text} too, or delete the exception`,
            }
          }
        }
      }
    }
  },
}

/** Whether a block lets in all of another. */
const lets = ({ cidr, except }: { readonly cidr: Prefix; readonly except: readonly Prefix[] }, excluded: Prefix): boolean =>
  isWithin(excluded, [cidr]) && !except.some((own) => overlaps(own, excluded))

const prefix = (text: string): Prefix => parsePrefix(text) as Prefix
