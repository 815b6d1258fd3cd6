import { type Check, DIRECTIONS, nameOf, policiesOf, ruleAt, rulesOf, within } from './finding.ts'

/** Felix writes `icmp type 8 code 0` (felix/nftables/match_builder.go, as late as August 2026), which is no nft: of the whole transaction nothing is done. */
export const icmpCode: Check = {
  code: 'LNT029',
  severity: 'note',
  title: "A rule has an ICMP code, which Felix's nftables dataplane can't program",
  *find({ world }) {
    for (const policy of policiesOf(world)) {
      if (policy.stagedAction !== undefined) continue
      for (const direction of DIRECTIONS) {
        for (const rule of rulesOf(policy, direction)) {
          const field = rule.icmp?.code !== undefined ? 'icmp' : rule.notIcmp?.code !== undefined ? 'notICMP' : undefined
          if (field === undefined) continue
          yield {
            at: within(ruleAt(policy, direction, rule), field, 'code'),
            message: `nft refuses how Felix writes the ICMP code of this rule of ${nameOf(policy)}, and with it all else that Felix would change on the node: harmless only where nftablesMode is not in force`,
            fix: 'leave out the code, or have nftablesMode Disabled',
          }
        }
      }
    }
  },
}
