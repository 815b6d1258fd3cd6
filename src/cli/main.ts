import type { Command } from '@oclif/core/command'
import { Config } from '@oclif/core/config'
import type { PJSON } from '@oclif/core/interfaces'
import { settings } from '@oclif/core/settings'
import { ExitCode } from '../error.ts'
import { leave } from '../system/leaving.ts'
import { Interrupted } from './interrupted.ts'
import { formatError, formatErrorJson, toNetctlError } from './report-error.ts'
import { type Request, resolveCommand, type Surface } from './resolve-command.ts'
import { decideTerminal } from './terminal.ts'
import { usageError } from './usage-error.ts'

export interface Start {
  /** folder of package.json */
  readonly root: string
  /** package.json, read */
  readonly pjson: { readonly name: string; readonly version: string; readonly oclif: object }
  /** run the commands as they stand, whatever an earlier build's manifest says */
  readonly ignoreManifest?: boolean
}

/**
 * The whole program: reads the arguments, runs one command, prints what went wrong in one place, and leaves the exit code in
 * `process.exitCode`, so that stdout can drain. Never rejects.
 */
export async function main(argv: readonly string[], start: Start): Promise<void> {
  listenToTheWorld(argv)
  // sources need no transpiler here, and oclif's search for one warns when there is none
  settings.enableAutoTranspile = false
  let command: Command.Loadable | undefined
  try {
    const config = await Config.load({ root: start.root, pjson: start.pjson as PJSON, ignoreManifest: start.ignoreManifest === true })
    const request = resolveCommand(argv, surfaceOf(config))
    if (request.kind === 'command') command = config.findCommand(request.id)
    process.exitCode = await serve(request, config, command)
  } catch (error) {
    const code = fail(error, argv, command)
    process.exitCode = code
    // the work given up may still hold timers and sockets; leave as soon as what was said is out
    process.stdout.write('', () => process.stderr.write('', () => void leave(code)))
  }
}

async function serve(request: Request, config: Config, command: Command.Loadable | undefined): Promise<ExitCode> {
  switch (request.kind) {
    case 'version':
      process.stdout.write(`${config.userAgent}\n`)
      return ExitCode.ok
    case 'help': {
      // only who asks for it pays
      const { CliHelp } = await import('./help.ts')
      await new CliHelp(config, config.pjson.oclif.helpOptions).showHelp(request.id === undefined ? [] : request.id.split(':'))
      return ExitCode.ok
    }
    case 'command':
      return await config.runCommand<ExitCode>(request.id, [...request.argv], command)
  }
}

function surfaceOf(config: Config): Surface {
  const valueFlags = new Set<string>()
  for (const { flags } of config.commands) {
    for (const [name, flag] of Object.entries(flags)) {
      if (flag.type !== 'option') continue
      valueFlags.add(`--${name}`)
      if (flag.char) valueFlags.add(`-${flag.char}`)
    }
  }
  const hidden = new Set(config.commands.flatMap((c) => (c.hidden ? [c.id] : [])))
  return { commands: config.commands.map((c) => c.id), hidden, valueFlags }
}

/** Says what went wrong, to whom it concerns: stdout for machines, stderr for people. */
function fail(thrown: unknown, argv: readonly string[], command?: Command.Loadable): ExitCode {
  if (thrown instanceof Interrupted) return ExitCode.interrupted
  const error = usageError(thrown, command) ?? toNetctlError(thrown)
  const format = askedFormat(argv)
  if (format) process.stdout.write(formatErrorJson(error, format === 'jsonl' ? undefined : 2))
  const debug = Boolean(process.env.DEBUG)
  if (!format || debug) process.stderr.write(formatError(error, decideTerminal(process, { noColor: argv.includes('--no-color') }), debug))
  return error.exitCode
}

/** What `-o` says, read by hand: the error may be that the arguments can't be read. YAML readers read JSON. */
function askedFormat(argv: readonly string[]): 'json' | 'jsonl' | 'yaml' | undefined {
  const end = argv.indexOf('--')
  const said = (end < 0 ? argv : argv.slice(0, end)).join('\n')
  const found = /(?:^|\n)(?:-o[=\n]?|--output[=\n])(jsonl?|yaml)(?:\n|$)/.exec(said)
  return found?.[1] as 'json' | 'jsonl' | 'yaml' | undefined
}

function listenToTheWorld(argv: readonly string[]): void {
  // a reader that has seen enough (`netctl trace … | head`) is no error
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? process.exitCode : fail(error, argv))
  })
  process.stderr.on('error', () => process.exit(process.exitCode))
  process.on('SIGINT', () => void leave(ExitCode.interrupted))
  const bug = (error: unknown): void => void leave(fail(error, argv))
  process.on('uncaughtException', bug)
  process.on('unhandledRejection', bug)
}
