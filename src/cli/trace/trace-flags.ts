import { string } from '@oclif/core/flags'
import { inputFlag, liveFlags, namespaceFlags, outputFlag, snapshotFlag, timeoutFlag, verbosityFlags } from '../flags.ts'
import { verifyFlags } from '../verify/verify-flags.ts'
import { briefFlag, flowFlags, flowsFlag, stateFlag } from './flow-flags.ts'
import { whatIfFlags } from './what-if.ts'

const verdicts = ['delivered', 'refused', 'unreachable', 'dropped', 'undecided']

export const traceFlags = {
  ...flowFlags,
  ...stateFlag,
  ...flowsFlag,
  expect: string({
    summary: 'exit 0 if every outcome is this one, 1 if not',
    options: verdicts,
    helpGroup: 'FLOW',
    exclusive: ['flows'],
  }),
  ...snapshotFlag,
  ...namespaceFlags,
  ...liveFlags,
  ...outputFlag(['text', 'wide', 'json', 'jsonl', 'yaml']),
  ...whatIfFlags,
  ...verifyFlags,
  ...briefFlag,
  ...timeoutFlag,
  ...inputFlag,
  ...verbosityFlags,
}
