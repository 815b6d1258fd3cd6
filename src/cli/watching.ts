import { nextChange } from '../system/watch.ts'
import { formatError, toNetctlError } from './report-error.ts'
import { decideTerminal } from './terminal.ts'

/** Runs `once` now and after every change of a file, until ctrl-C (130, by main.ts). An error is told, and may be mended by the next change. */
export async function watching(once: () => Promise<unknown>, paths: () => readonly string[], tell: (text: string) => void): Promise<never> {
  for (;;) {
    try {
      await once()
    } catch (error) {
      process.stderr.write(formatError(toNetctlError(error), decideTerminal(process), false))
    }
    // watched before it is said, so that whoever reads it can rely on it
    const change = nextChange(paths())
    tell('watching for changes; ctrl-C ends it')
    await change
  }
}
