import { Command } from '@oclif/core/command'
import { boolean } from '@oclif/core/flags'
import type { ExitCode } from '../error.ts'
import { sanitizeLines } from '../report/sanitize.ts'
import type { Around } from './around.ts'
import { bounded } from './bounded.ts'
import { decideTerminal, type Terminal } from './terminal.ts'

/**
 * What every command is built on. A command declares its flags, overrides `run`, and returns its exit code; it throws
 * `NetctlError` for what the user can mend. Errors are printed in one place, main.ts.
 *
 *     export default class Trace extends BaseCommand {
 *       static override flags = { ...sharedFlags, ...outputFlag(['text', 'json']) }
 *       override async run() {
 *         const { args, flags } = await this.parse(Trace)
 *         const trace = await this.bounded('tracing', flags.timeout, () => …)
 *         this.print(formatTrace(trace, this.terminal(flags)))
 *         return ExitCode.ok
 *       }
 *     }
 */
export abstract class BaseCommand extends Command {
  static override baseFlags = {
    'no-color': boolean({ summary: 'no colour (also: NO_COLOR in the environment)', helpGroup: 'OUTPUT' }),
  }

  abstract override run(): Promise<ExitCode>

  /** Errors go up to main.ts, which knows how to say them. */
  protected override async catch(error: Error): Promise<never> {
    throw error
  }

  /** Facts about the terminal, under the flags given. */
  protected terminal(flags: { readonly 'no-color'?: boolean; readonly 'no-input'?: boolean }): Terminal {
    return decideTerminal(process, { noColor: flags['no-color'] === true, noInput: flags['no-input'] === true })
  }

  /** What functions of src/cli want of a command. */
  protected around(flags: { readonly 'no-color'?: boolean; readonly 'no-input'?: boolean }): Around {
    const { root, version } = this.config
    return { terminal: this.terminal(flags), root, version, tell: (text) => this.tell(text) }
  }

  /** Data, to stdout, ending in exactly one newline. */
  protected print(text: string): void {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
  }

  /** Text of ASCII characters only, as JSON lines are: it needs no encoding, which is half the work of printing hundreds of megabytes. */
  protected async printAscii(text: string): Promise<void> {
    await this.drain(process.stdout.write(text, 'latin1'))
  }

  /** A reader slower than us must not make us keep it all; where there is none to wait for, ctrl-C and --timeout must be heard all the same. */
  private async drain(drained: boolean): Promise<void> {
    await new Promise((resolve) => (drained ? setImmediate(resolve) : process.stdout.once('drain', resolve)))
  }

  /** Data in pieces, some hundred kilobytes at once, as fast as the reader takes them. `ascii`: all of it is. */
  protected async printPieces(pieces: Iterable<string>, ascii: boolean): Promise<void> {
    const print = (text: string) => (ascii ? this.printAscii(text) : this.drain(process.stdout.write(text)))
    let text = ''
    for (const piece of pieces) {
      text += piece
      if (text.length < 2 ** 18) continue
      await print(text)
      text = ''
    }
    if (text !== '') await print(text)
  }

  /** Talk, to stderr; names in it may be hostile. */
  protected tell(text: string): void {
    const safe = sanitizeLines(text)
    process.stderr.write(safe.endsWith('\n') ? safe : `${safe}\n`)
  }

  /** Runs `work`, for `--timeout` long at most; see bounded.ts. */
  protected bounded<T>(what: string, timeoutMs: number | undefined, work: () => T | Promise<T>): Promise<T> {
    return bounded(what, timeoutMs, work)
  }
}
