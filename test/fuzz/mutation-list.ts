/** Mistakes of one line in evaluators, each such as a person could make. `find` stands once in `file`. */

export interface Mutation {
  readonly what: string
  readonly file: string
  readonly find: string
  readonly replace: string
}

export const mutations: readonly Mutation[] = [
  {
    what: 'goto comes back as jump does',
    file: 'src/trace/iptables/tables.ts',
    find: "if (target.kind === 'jump') stack.push(frame)",
    replace: 'stack.push(frame)',
  },
  {
    what: 'RETURN leaves the whole table',
    file: 'src/trace/iptables/tables.ts',
    find: "record(visit, frame.chain, rule, 'return', 'passes', choice)\n      const caller = stack.pop()",
    replace: "record(visit, frame.chain, rule, 'return', 'passes', choice)\n      const caller = stack.splice(0)[0] && undefined",
  },
  {
    what: 'negated addresses are not negated',
    file: 'src/kernel/iptables/match.ts',
    find: 'return contains(match.prefix, env.packet.dst) !== (match.not === true)',
    replace: 'return contains(match.prefix, env.packet.dst)',
  },
  {
    what: 'a mark is set without its mask',
    file: 'src/kernel/iptables/mark.ts',
    find: 'return ((mark & ~target.mask) ^ target.value) >>> 0',
    replace: 'return (mark ^ target.value) >>> 0',
  },
  {
    what: 'a range of ports lacks its last',
    file: 'src/kernel/iptables/match-ports.ts',
    find: 'return specs.some((s) => s.lo <= port.lo && port.lo <= s.hi)',
    replace: 'return specs.some((s) => s.lo <= port.lo && port.lo < s.hi)',
  },
  {
    what: 'untracked packets are NEW',
    file: 'src/trace/conntrack/entry.ts',
    find: "return { state: 'UNTRACKED', ...nothing }",
    replace: "return { state: 'NEW', ...nothing }",
  },
  {
    what: 'the answer of a connection is not ESTABLISHED',
    file: 'src/trace/conntrack/entry.ts',
    find: "direction === 'REPLY' || entry.seenReply ? 'ESTABLISHED'",
    replace: "entry.seenReply && direction === 'ORIGINAL' ? 'ESTABLISHED'",
  },
  {
    what: 'MASQUERADE takes the oldest address of the host',
    file: 'src/trace/conntrack/nat.ts',
    find: 'const address = masqueradeSource(place.host.links ?? [], packet.family, skb.outDevice,',
    replace: "const address = masqueradeSource(place.host.links ?? [], packet.family, 'lo',",
  },
  {
    what: 'source translation before destination translation',
    file: 'src/trace/netfilter/hook-list.ts',
    find: 'const DST_NAT = -100',
    replace: 'const DST_NAT = 5',
  },
  {
    what: 'mangle after filter',
    file: 'src/trace/netfilter/hook-list.ts',
    find: 'FORWARD: { mangle: -150, filter: 0, security: 50 }',
    replace: 'FORWARD: { mangle: 20, filter: 0, security: 50 }',
  },
  {
    what: 'nomatch elements match',
    file: 'src/kernel/ipset/evaluate.ts',
    find: 'const found = member.nomatch === (view.returnNomatch === true && hasNomatch(set))',
    replace: 'const found = true',
  },
  {
    what: 'a set with ports forgets the protocol',
    file: 'src/kernel/ipset/match-member.ts',
    find: "} else if (number !== memberProtocol(part.proto)) return 'no'",
    replace: '}',
  },
  {
    what: 'throw is taken for unreachable',
    file: 'src/kernel/route/lookup.ts',
    find: "    case 'miss':\n    case 'throw':\n      return undefined",
    replace: "    case 'miss':\n      return undefined\n    case 'throw':\n      return { kind: 'none' }",
  },
  {
    what: 'rules look at marks without their mask',
    file: 'src/kernel/route/rule-match.ts',
    find: 'if (rule.fwmark) yield ((rule.fwmark.value ^ q.mark) & rule.fwmark.mask) === 0',
    replace: 'if (rule.fwmark) yield rule.fwmark.value === q.mark',
  },
  {
    what: 'rp_filter is off',
    file: 'src/trace/input-routing.ts',
    find: 'rpFilter: rp?.value ?? 0,',
    replace: 'rpFilter: 0,',
  },
  {
    what: 'nft: accept of one base chain is final for the hook',
    file: 'src/trace/netfilter/hooks.ts',
    find: "return end.kind === 'drop' || end.kind === 'reject' ? end : passed",
    replace:
      "if (end.kind === 'accept' && it.kind === 'nft') skb.ct = { kind: 'untracked' }\n      return end.kind === 'drop' || end.kind === 'reject' ? end : passed",
  },
  {
    what: 'nft: != of a set is =',
    file: 'src/kernel/nftables/match.ts',
    find: "if (found.kind === 'none') return not",
    replace: "if (found.kind === 'none') return false",
  },
  {
    what: 'nft: the end of a called chain ends the base chain',
    file: 'src/trace/nftables/chains.ts',
    find: "if (did.kind === 'jump') stack.push(frame)",
    replace: '',
  },
  {
    what: 'nft: policy drop is not looked at',
    file: 'src/trace/nftables/chains.ts',
    find: "if (base.policy !== 'drop') return { kind: 'accept' }",
    replace: "return { kind: 'accept' }",
  },
]
