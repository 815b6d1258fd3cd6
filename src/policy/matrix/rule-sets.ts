import { type Bitset, emptySet, fullSet, include, intersect, subtract } from '../../cluster/bitset.ts'
import { canonical } from '../../cluster/selector/canonical.ts'
import type { Peer, Rule } from '../model.ts'
import { type FlowPacket, NO, type Truth, UNKNOWN, YES } from '../packet.ts'
import { peerTests } from '../peer-tests.ts'
import { type Places, selected } from '../places.ts'
import { ICMP, ICMPV6 } from '../protocols.ts'
import { matchesAll, type Test, testsOf } from '../tests.ts'
import { type PortClass, portOf } from './ports.ts'
import type { View } from './views.ts'

/** For which endpoints something holds, and for which it can't be ruled out. */
export interface Sure {
  readonly yes: Bitset
  /** `yes`, and those where it can't be told; the same object if there are none */
  readonly can: Bitset
}

/** A rule's test of all packets of one scene and port class at once: it matches where all three do. */
export interface RuleSets {
  readonly rule: Rule
  /** what does not depend on the ends */
  readonly packet: Truth
  readonly source: Sure | Truth
  readonly destination: Sure | Truth
}

type Side = 'source' | 'destination'

/** The client's port of `evaluate`. */
const EPHEMERAL_PORT = 40_000

/** Packets of one scene and port class; what was worked out is kept. */
export interface Question {
  readonly places: Places
  readonly view: View
  readonly ports: PortClass
  readonly rules: Map<Rule, RuleSets>
  /** answers of tests: those that don't depend on ports are shared by all questions of a scene */
  readonly fixed: Map<string, Sure>
  readonly byPort: Map<string, Sure>
}

/** Whom a rule matches; worked out once for each question. */
export function ruleSets(question: Question, rule: Rule): RuleSets {
  let sets = question.rules.get(rule)
  if (!sets) question.rules.set(rule, (sets = find(question, rule)))
  return sets
}

/** The packet between two endpoints, by their places in the world. */
export function packetBetween({ view, ports }: Question, source: number | undefined, destination: number | undefined): FlowPacket {
  const { scene } = view
  const protocol = ports.protocol === ICMP && scene === 6 ? ICMPV6 : ports.protocol
  const end = (index: number | undefined) => (index === undefined ? NOBODY : view.ends[index]) ?? NOBODY
  const port = portOf(ports)
  return {
    ...(scene && { family: scene }),
    protocol,
    icmpType: protocol === ICMPV6 ? 128 : 8,
    icmpCode: 0,
    source: { ...end(source), port: EPHEMERAL_PORT },
    destination: { ...end(destination), ...(port !== undefined && { port }) },
  }
}

const NOBODY = { places: [] }

function find(question: Question, rule: Rule): RuleSets {
  const packet = matchesAll(
    testsOf({ ...rule, source: {}, destination: {} }, question.places),
    packetBetween(question, undefined, undefined),
  )
  // most rules of other protocols need no more
  if (packet === NO) return { rule, packet, source: NO, destination: NO }
  return { rule, packet, source: sideSets(question, 'source', rule), destination: sideSets(question, 'destination', rule) }
}

function sideSets(question: Question, side: Side, rule: Rule): Sure | Truth {
  let all: Sure | undefined
  let truth: Truth = YES
  for (const test of peerTests(side, rule[side], rule.protocol, question.places)) {
    const one = testSets(question, side, rule, test)
    if (one === NO) return NO
    if (one === UNKNOWN) truth = UNKNOWN
    else if (one !== YES) all = all ? both(all, one) : one
  }
  if (!all) return truth
  return truth === UNKNOWN ? { yes: emptySet(question.view.ends.length), can: all.can } : all
}

function both(x: Sure, y: Sure): Sure {
  const yes = intersect(x.yes.slice(), y.yes)
  return { yes, can: x.can === x.yes && y.can === y.yes ? yes : intersect(x.can.slice(), y.can) }
}

function testSets(question: Question, side: Side, rule: Rule, test: Test): Sure | Truth {
  const { [side]: peer, protocol } = rule
  switch (test.criterion) {
    case 'source selector':
    case 'destination selector':
      return selectorSets(question, side, peer, test)
    case 'source ports':
    case 'destination ports':
      // numbers are the same for all; names are those of each
      if ((peer.ports?.names.length ?? 0) + (peer.notPorts?.names.length ?? 0) === 0)
        return test.test(packetBetween(question, undefined, undefined))
      return kept(
        question.byPort,
        `${test.wanted()} ${JSON.stringify([side, protocol, peer.ports, peer.notPorts])} ${selectorText(peer)}`,
        () => oneByOne(question, side, test),
      )
    case 'source service':
    case 'destination service':
      return kept(question.byPort, `${side} ${test.wanted()} ${peer.service?.withPorts}`, () => oneByOne(question, side, test))
    default:
      return kept(
        question.fixed,
        `${test.criterion} ${test.wanted()} ${JSON.stringify([peer.nets?.map(text), peer.notNets?.map(text)])}`,
        () => oneByOne(question, side, test),
      )
  }
}

const text = ({ ip, length }: { readonly ip: { readonly text: string }; readonly length: number }): string => `${ip.text}/${length}`

/** Names are those of endpoints that the selector selects. */
const selectorText = ({ selector }: Peer): string => (selector ? canonical(selector) : '')

function kept(known: Map<string, Sure>, key: string, make: () => Sure): Sure {
  let sets = known.get(key)
  if (!sets) known.set(key, (sets = make()))
  return sets
}

/** What the index of labels selects, put right for those that are seen otherwise. */
function selectorSets(question: Question, side: Side, peer: Peer, test: Test): Sure {
  const { view, places } = question
  const selector = peer.selector ?? peer.notSelector
  return kept(question.fixed, `${side} ${test.wanted()}`, () => {
    const size = view.ends.length
    const yes = selector ? selected(places, selector).slice(0, (size + 31) >>> 5) : fullSet(size)
    intersect(yes, fullSet(size))
    if (peer.selector === undefined) complement(yes, size)
    return oneByOne(question, side, test, view.odd, yes)
  })
}

function complement(set: Bitset, size: number): void {
  const all = fullSet(size)
  set.set(subtract(all, set))
}

/** Asks the test about each endpoint, or about some, the others being known. */
function oneByOne(question: Question, side: Side, test: Test, whom?: readonly number[], known?: Bitset): Sure {
  const size = question.view.ends.length
  const yes = known ?? emptySet(size)
  let can: Bitset | undefined
  const ask = (index: number): void => {
    const packet = side === 'source' ? packetBetween(question, index, undefined) : packetBetween(question, undefined, index)
    const truth = test.test(packet)
    const word = index >>> 5
    const bit = 1 << (index & 31)
    yes[word] = truth === YES ? (yes[word] as number) | bit : (yes[word] as number) & ~bit
    if (truth === UNKNOWN) include((can ??= emptySet(size)), index)
  }
  if (whom) for (const index of whom) ask(index)
  else for (let index = 0; index < size; index++) ask(index)
  if (!can) return { yes, can: yes }
  for (let i = 0; i < yes.length; i++) can[i] = (can[i] as number) | (yes[i] as number)
  return { yes, can }
}
