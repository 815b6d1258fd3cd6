import type { IcmpMatch, Rule } from './model.ts'
import { type FlowPacket, NO, type Truth, UNKNOWN, YES } from './packet.ts'
import { peerTests } from './peer-tests.ts'
import type { Places } from './places.ts'
import { ICMP, ICMPV6, protocolName } from './protocols.ts'
import type { Criterion } from './verdict.ts'

/** One thing that a rule asks of a packet: the test, and for people what it asks, what it found, and why it can't tell. */
export interface Test {
  readonly criterion: Criterion
  readonly test: (packet: FlowPacket) => Truth
  readonly wanted: () => string
  readonly found: (packet: FlowPacket) => string
  readonly why?: (packet: FlowPacket) => string
}

/** All that a rule asks, cheapest first: the rule matches if each says yes. */
export function testsOf(rule: Rule, places: Places): readonly Test[] {
  const tests: Test[] = []
  if (rule.protocol !== undefined) tests.push(protocolTest(rule.protocol, false))
  if (rule.notProtocol !== undefined) tests.push(protocolTest(rule.notProtocol, true))
  if (rule.family !== undefined) tests.push(familyTest(rule.family))
  if (rule.icmp) tests.push(icmpTest(rule.icmp, false))
  if (rule.notIcmp) tests.push(icmpTest(rule.notIcmp, true))
  tests.push(
    ...peerTests('source', rule.source, rule.protocol, places),
    ...peerTests('destination', rule.destination, rule.protocol, places),
  )
  if (rule.unknown !== undefined) tests.push(unknownTest(rule.unknown))
  return tests
}

/** Whether all tests hold: no if one says no, whatever is unknown. */
export function matchesAll(tests: readonly Test[], packet: FlowPacket): Truth {
  let result: Truth = YES
  for (let i = 0; i < tests.length; i++) {
    const truth = (tests[i] as Test).test(packet)
    if (truth === NO) return NO
    if (truth === UNKNOWN) result = UNKNOWN
  }
  return result
}

function protocolTest(protocol: number, negated: boolean): Test {
  return {
    criterion: 'protocol',
    test: (packet) => ((packet.protocol === protocol) !== negated ? YES : NO),
    wanted: () => `${negated ? 'not ' : ''}${protocolName(protocol)}`,
    found: (packet) => protocolName(packet.protocol),
  }
}

function familyTest(family: 4 | 6): Test {
  return {
    criterion: 'family',
    test: (packet) => (packet.family === undefined ? UNKNOWN : packet.family === family ? YES : NO),
    wanted: () => `IPv${family}`,
    found: (packet) => `IPv${packet.family}`,
    why: () => 'no address is known, and the rule is for one family',
  }
}

function icmpTest({ type, code }: IcmpMatch, negated: boolean): Test {
  const text = `ICMP type ${type}${code === undefined ? '' : `, code ${code}`}`
  return {
    criterion: 'icmp',
    test(packet) {
      const is = (type === undefined || packet.icmpType === type) && (code === undefined || packet.icmpCode === code)
      return (packet.protocol === ICMP || packet.protocol === ICMPV6) && is !== negated ? YES : NO
    },
    wanted: () => (negated ? `not ${text}` : text),
    found: (packet) => `type ${packet.icmpType}, code ${packet.icmpCode}`,
  }
}

/** Comes last, so that what is known to fail is known. */
function unknownTest(why: string): Test {
  return { criterion: 'destination networks', test: () => UNKNOWN, wanted: () => why, found: () => 'nothing that tells', why: () => why }
}
