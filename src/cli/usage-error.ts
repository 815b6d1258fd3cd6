import { stripVTControlCharacters } from 'node:util'
import type { Command } from '@oclif/core/command'
import { CLIError } from '@oclif/core/errors'
import { NetctlError } from '../error.ts'
import { nearest } from '../nearest.ts'

/** What oclif's parser, or a flag's own, refused: in our words and with our exit code; undefined if it is no such refusal. */
export function usageError(error: unknown, command: Command.Loadable | undefined): NetctlError | undefined {
  if (error instanceof NetctlError) return unwrapped(error)
  if (!(error instanceof CLIError)) return undefined
  const name = command ? `netctl ${command.id.replaceAll(':', ' ')}` : 'netctl'
  const { flags, args } = error as { flags?: unknown; args?: unknown }
  const help = `${name} --help`
  if (isStrings(flags)) {
    const [flag = ''] = flags
    const near = nearest(flag, flagNames(command))
    return new NetctlError({ code: 'USE002', message: `${name} has no flag ${flag}`, try: near.length > 0 ? near.join(', or ') : help })
  }
  if (isStrings(args)) {
    return new NetctlError({ code: 'USE004', message: `${name} has no use for ${args.map((a) => `“${a}”`).join(' ')}`, try: help })
  }
  if (Array.isArray(args)) {
    const missing = args.map((arg: { name: string }) => arg.name.toUpperCase()).join(' ')
    return new NetctlError({ code: 'USE003', message: `${name} needs ${missing}`, try: help })
  }
  return new NetctlError({ code: 'USE005', ...together(oneLine(error.message), help) })
}

/** Flags that don't go together, or one that needs another, in fewer words than the parser's. */
function together(message: string, help: string): { readonly message: string; readonly try: string } {
  const [, one, other] = /^--([\w-]+)(?:=.*)? cannot also be provided when using --([\w-]+)$/.exec(message) ?? []
  if (one !== undefined) return { message: `--${one} and --${other} exclude each other`, try: 'leave one of them out' }
  const [, flag, needed] = /^All of the following must be provided when using --([\w-]+): (--[\w-]+)$/.exec(message) ?? []
  if (flag !== undefined) return { message: `--${flag} is for ${needed} only`, try: `${needed} as well, or leave it out` }
  return { message, try: help }
}

/** oclif writes its own words around what a flag's parser throws: `Parsing --timeout \n\t…\nSee more help with --help` */
function unwrapped(error: NetctlError): NetctlError {
  const own = /^Parsing --\S+\s+([\s\S]*?)\nSee more help with --help$/.exec(error.message)?.[1]
  if (own !== undefined) error.message = own
  return error
}

const isStrings = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length > 0 && value.every((v) => typeof v === 'string')

function flagNames(command: Command.Loadable | undefined): string[] {
  return Object.entries(command?.flags ?? {}).map(([name]) => `--${name}`)
}

/** The parser's message without its colours, headings and hints. */
function oneLine(message: string): string {
  return stripVTControlCharacters(message)
    .replace(/^The following errors? occurred:/, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('See more help'))
    .join('; ')
}
