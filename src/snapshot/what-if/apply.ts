/** What if: a snapshot with everything that is supposed to be otherwise. */
import type { Changed, Snapshot } from '../types.ts'
import { withNodeDown } from './node-down.ts'
import { type Replacement, withReplaced } from './replace.ts'
import { withSysctl } from './sysctl.ts'
import { withoutRule } from './without-rule.ts'

/** As the command line says it; see each file for the form. */
export interface Supposed {
  readonly replace: readonly Replacement[]
  readonly withoutRule: readonly string[]
  readonly sysctl: readonly string[]
  readonly nodeDown: readonly string[]
}

/** Throws NetctlError (what is not there, and what is) or ParseError (a file in place of another that is damaged). */
export function suppose(snapshot: Snapshot, { replace, withoutRule: rules, sysctl, nodeDown }: Supposed): Changed {
  const steps: readonly ((s: Snapshot) => Changed)[] = [
    ...replace.map((r) => (s: Snapshot) => withReplaced(s, r)),
    // numbers are those of the dump: the last ones go first
    ...[...new Set(rules)].sort((a, b) => numberOf(b) - numberOf(a)).map((r) => (s: Snapshot) => withoutRule(s, r)),
    ...sysctl.map((set) => (s: Snapshot) => withSysctl(s, set)),
    ...nodeDown.map((node) => (s: Snapshot) => withNodeDown(s, node)),
  ]
  return steps.reduce<Changed>(
    (so, step) => {
      const { snapshot: next, changes } = step(so.snapshot)
      return { snapshot: next, changes: [...so.changes, ...changes] }
    },
    { snapshot, changes: [] },
  )
}

const numberOf = (rule: string): number => Number(/:(\d{1,9})$/.exec(rule)?.[1] ?? 0)
