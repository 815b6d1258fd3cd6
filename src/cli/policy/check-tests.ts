import type { Around } from '../around.ts'
import type { bounded } from '../bounded.ts'
import type { LiveFlags } from '../live-cluster.ts'
import type { Checked } from '../report-files.ts'
import type { InputFlags } from './inputs.ts'
import { exitOfTests, resultsOf, runTests, testsIn } from './run-tests.ts'
import { readTests } from './test-files.ts'

export interface TestFlags extends InputFlags, Pick<LiveFlags, 'max-age' | 'via' | 'yes' | 'pod-namespace' | 'pod-image'> {
  readonly datapath: boolean
  readonly output: string
  readonly junit?: string | undefined
  readonly sarif?: string | undefined
  readonly quiet: boolean
  readonly verbose: boolean
}

/** What a command has: the terminal, its two outputs, `--timeout`. */
interface Printing extends Around {
  readonly print: (text: string) => void
  readonly bounded: typeof bounded
}

/** Reads the tests and what they are about, runs them, and prints what comes of it; `paths`: what was read. */
export async function checkTests(
  files: readonly string[],
  flags: TestFlags,
  around: Printing,
): Promise<Checked & { readonly paths: readonly string[] }> {
  const { terminal, root, print, tell } = around
  const tests = await readTests(files, flags, terminal, root)
  for (const note of tests.notes) tell(note)
  // walking takes most of netctl to load
  const walk = flags.datapath ? await (await import('./datapath.ts')).datapathOf(flags, around, tests.tests) : undefined
  // details are worked out for who wants them only
  const reported = flags.output !== 'text' || flags.junit !== undefined || flags.sarif !== undefined
  const run = await around.bounded('testing', flags.timeout, () => runTests(tests, { advise: reported || !flags.quiet, walk }))
  const text = testsIn({ ...flags, terminal }, run)
  if (text !== undefined) print(text)
  return { code: exitOfTests(run), results: reported ? resultsOf(run) : [], paths: tests.paths }
}
