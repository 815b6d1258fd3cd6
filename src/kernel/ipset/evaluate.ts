import type { Packet } from '../../net/packet.ts'
import { type Answer, maskAddress, matchMember, setPort } from './match-member.ts'
import { dimensionsOf } from './member.ts'
import type { Ipset, Member } from './types.ts'

/** What a lookup may look at. */
export interface SetView {
  readonly packet: Packet
  readonly mark: number
  /** '' where the hook has none */
  readonly inDevice: string
  readonly outDevice: string
  /** members of list:set */
  ipset(name: string): Ipset | undefined
  /** `--return-nomatch`: elements with nomatch match, and only those */
  readonly returnNomatch?: boolean
}

export type SetResult =
  /** `timeout`: seconds that the element had left when the dump was made */
  | { readonly kind: 'decided'; readonly found: boolean; readonly timeout?: number; readonly member?: Member }
  | { readonly kind: 'unknown'; readonly why: string }

const absent: SetResult = { kind: 'decided', found: false }

/**
 * Is the packet in the set? `directions` are those of `--match-set NAME src,dst`: one for each dimension of the type, of which spare
 * ones are ignored; too few, or the other family, never match (net/netfilter/ipset/ip_set_core.c, ip_set_test).
 */
export function testSet(set: Ipset, directions: readonly ('src' | 'dst')[], view: SetView): SetResult {
  const dimensions = dimensionsOf(set.type)
  if (!dimensions) return { kind: 'unknown', why: `sets of type ${set.type} are not modelled` }
  if (directions.length < dimensions.length) return absent
  if (set.family !== undefined && set.family !== view.packet.family) return absent
  if (set.type === 'list:set') return testList(set, directions, view)
  return testElements(set, directions, view)
}

/** list:set asks its sets in order until one says yes (ip_set_list_set.c, list_set_ktest). Lists in lists can't be loaded. */
function testList(set: Ipset, directions: readonly ('src' | 'dst')[], view: SetView): SetResult {
  let open: SetResult | undefined
  for (const member of set.members) {
    const part = member.parts[0]
    const inner = part?.kind === 'set' ? view.ipset(part.name) : undefined
    const result: SetResult =
      inner && inner.type !== 'list:set'
        ? testSet(inner, directions, view)
        : { kind: 'unknown', why: `its member ${part?.text} is not a set in ipset-save.txt` }
    if (result.kind === 'unknown') open ??= result
    else if (result.found) return withTimeout(result, member)
  }
  return open ?? absent
}

function withTimeout(result: Extract<SetResult, { kind: 'decided' }>, member: Member): SetResult {
  const timeout = timeoutOf(member) ?? result.timeout
  return { kind: 'decided', found: result.found, ...(timeout === undefined ? {} : { timeout }), member: result.member ?? member }
}

/** Seconds left; `timeout 0` is an element without end. */
function timeoutOf(member: Member): number | undefined {
  const at = member.options.indexOf('timeout')
  const seconds = at < 0 ? 0 : Number(member.options[at + 1])
  return seconds > 0 ? seconds : undefined
}

function testElements(set: Ipset, directions: readonly ('src' | 'dst')[], view: SetView): SetResult {
  let open: Extract<Answer, object> | undefined
  let openNomatch = false
  // hash:net,iface: the length of the first network that holds the address with other interfaces
  let stop = -1
  for (const member of lookup(set, directions, view)) {
    const length = member.parts[0]?.kind === 'net' ? member.parts[0].prefix.length : 0
    if (length < stop) break
    const answer = matchMember(set, member, directions, view)
    if (answer === 'other-iface') {
      stop = length
      continue
    }
    if (answer === 'no') continue
    if (answer !== 'yes') {
      open ??= answer
      openNomatch ||= member.nomatch
      continue
    }
    const found = member.nomatch === (view.returnNomatch === true && hasNomatch(set))
    // what might have matched before would have given the same
    if (open && (!found || openNomatch)) return open
    const timeout = timeoutOf(member)
    return { kind: 'decided', found, member, ...(timeout === undefined ? {} : { timeout }) }
  }
  return open ?? absent
}

/** IPSET_TYPE_NOMATCH: the hash types with networks. */
const hasNomatch = (set: Ipset) => set.type.startsWith('hash:') && set.type.includes('net')

/** Members that may hold the packet, in the kernel's order. */
function* lookup(set: Ipset, directions: readonly ('src' | 'dst')[], view: SetView): Generator<Member> {
  if (set.type === 'bitmap:port') {
    const port = setPort(view.packet, directions[0] as 'src' | 'dst')
    if (port && port.lo === port.hi) yield* set.index.exact.get(String(port.lo)) ?? []
    else yield* set.members
    return
  }
  const address = maskAddress(set, directions[0] === 'src' ? view.packet.src : view.packet.dst)
  yield* set.index.exact.get(address.text) ?? []
  yield* set.index.rest
}
