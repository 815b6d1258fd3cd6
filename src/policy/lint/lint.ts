import { cidrHostBits, cidrRedundant } from './cidrs.ts'
import { clusterAddress } from './cluster-address.ts'
import { dnsForgotten } from './dns-forgotten.ts'
import { domainNamesRefused } from './domain-names.ts'
import { eitherNotBoth } from './either-not-both.ts'
import { emptyList } from './empty-list.ts'
import { exceptUndone } from './except-undone.ts'
import type { Check, Finding, LintInput } from './finding.ts'
import { hookWithoutHosts } from './hook-without-hosts.ts'
import { hostsSelected } from './hosts-selected.ts'
import { httpCondition } from './http-condition.ts'
import { icmpCode } from './icmp-code.ts'
import { ingressIsolated } from './ingress-isolated.ts'
import { logOnly } from './log-only.ts'
import { namedPortUnknown } from './named-port-unknown.ts'
import { namespaceUnknown } from './namespace-unknown.ts'
import { peerSelectsNothing } from './peer-selects-nothing.ts'
import { peerUnsupported } from './peer-unsupported.ts'
import { podAddress } from './pod-address.ts'
import { priorityTie } from './priority-tie.ts'
import { profileUnknown } from './profile-unknown.ts'
import { ruleNeverMatches } from './rule-never-matches.ts'
import { ruleRedundant, ruleShadowed } from './rule-shadowed.ts'
import { rulesNotInForce } from './rules-not-in-force.ts'
import { serviceUnknown } from './service-unknown.ts'
import { subjectSelectsNothing } from './subject-selects-nothing.ts'
import { tierUnknown } from './tier-unknown.ts'
import { tierUnreachable } from './tier-unreachable.ts'

/** All checks, in the order of their codes. */
export const CHECKS: readonly Check[] = [
  subjectSelectsNothing,
  peerSelectsNothing,
  namedPortUnknown,
  ruleShadowed,
  ruleRedundant,
  rulesNotInForce,
  ingressIsolated,
  dnsForgotten,
  emptyList,
  eitherNotBoth,
  exceptUndone,
  cidrRedundant,
  cidrHostBits,
  clusterAddress,
  tierUnknown,
  tierUnreachable,
  logOnly,
  priorityTie,
  domainNamesRefused,
  ruleNeverMatches,
  hookWithoutHosts,
  serviceUnknown,
  profileUnknown,
  namespaceUnknown,
  httpCondition,
  podAddress,
  hostsSelected,
  peerUnsupported,
  icmpCode,
]

/** What policies say and probably do not mean, in the order of the checks. */
export function lint(input: LintInput, checks: readonly Check[] = CHECKS): readonly Finding[] {
  return checks.flatMap(({ code, severity, find }) =>
    [...find(input)].map(({ at, message, fix, severity: own }) => ({
      code,
      severity: own ?? severity,
      at,
      message,
      ...(fix !== undefined && { fix }),
    })),
  )
}
