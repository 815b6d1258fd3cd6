import type { Told } from './lint-findings.ts'

/** All in one document: `-o json`. */
export function lintReport(told: readonly Told[], policies: number) {
  const number = (severity: Told['severity']): number => told.filter((one) => one.severity === severity).length
  return {
    apiVersion: 'netctl.dev/v1alpha1',
    kind: 'PolicyLintReport',
    summary: { policies, refused: number('refused'), errors: number('error'), warnings: number('warning'), notes: number('note') },
    findings: told,
  }
}
