import type { Manifest } from '../../cluster/manifest/types.ts'
import { ExitCode, NetctlError } from '../../error.ts'
import { nearest } from '../../nearest.ts'
import type { Severity } from '../../policy/lint/finding.ts'
import { CHECKS, lint } from '../../policy/lint/lint.ts'
import { type Told, toldOf } from '../../report/policy/lint-findings.ts'
import { lintReport } from '../../report/policy/lint-json.ts'
import { lintText } from '../../report/policy/lint-text.ts'
import { printableJson } from '../../report/sanitize.ts'
import type { Terminal } from '../terminal.ts'
import { loadWorld } from './world.ts'

export type Level = Severity

/** From the lightest. */
export const LEVELS: readonly Level[] = ['note', 'warning', 'error']

export interface Linted {
  readonly told: readonly Told[]
  readonly policies: number
}

/** What is to be told of an input from a level on. Throws USE015 for a code that no check has. */
export function lintInput(input: Manifest, level: Level, skip: readonly string[]): Linted {
  for (const code of skip) {
    if (CHECKS.some((check) => check.code === code)) continue
    const [near] = nearest(
      code,
      CHECKS.map((check) => check.code),
      1,
    )
    throw new NetctlError({
      code: 'USE015',
      message: `--skip ${code} names no check`,
      try: near === undefined ? 'codes stand at the end of each finding' : `--skip ${near}`,
    })
  }
  const { loaded, world, refused } = loadWorld(input)
  const findings = lint(
    { loaded, world },
    CHECKS.filter(({ code }) => !skip.includes(code)),
  )
  const policies = new Set(world.tiers.flatMap((tier) => tier.policies.map(({ origin }) => origin.object)))
  return {
    told: toldOf(
      refused,
      findings.filter(({ severity }) => atLeast(severity, level)),
    ),
    policies: policies.size,
  }
}

const atLeast = (severity: Severity, level: Level): boolean => LEVELS.indexOf(severity) >= LEVELS.indexOf(level)

/** 2 for what would be refused, 1 for what is told from a level on, 0 else. */
export function exitOfLint({ told }: Linted, failOn: Level | 'never'): ExitCode {
  if (told.some(({ severity }) => severity === 'refused')) return ExitCode.usage
  const fails = failOn !== 'never' && told.some(({ severity }) => severity !== 'refused' && atLeast(severity, failOn))
  return fails ? ExitCode.no : ExitCode.ok
}

interface Shape {
  readonly output: string
  readonly terminal: Terminal
  readonly quiet: boolean
}

/** Findings in a shape that is no report file; undefined for those that are. */
export function lintIn({ output, terminal, quiet }: Shape, { told, policies }: Linted): string | undefined {
  switch (output) {
    case 'json':
      return printableJson(lintReport(told, policies), 2)
    case 'jsonl':
      return told.map((one) => `${printableJson(one)}\n`).join('')
    case 'text':
      return lintText(told, { ...terminal, quiet, policies })
    default:
      return undefined
  }
}
