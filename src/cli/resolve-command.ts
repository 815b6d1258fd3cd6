import { ExitCode, NetctlError } from '../error.ts'
import { nearest } from '../nearest.ts'

/** What an argument list asks for. Ids are oclif's: `snapshot:show`. */
export type Request =
  | { readonly kind: 'version' }
  | { readonly kind: 'help'; readonly id: string | undefined }
  | { readonly kind: 'command'; readonly id: string; readonly argv: readonly string[] }

export interface Surface {
  /** ids of all commands */
  readonly commands: readonly string[]
  /** of these, those that are not for people: never suggested */
  readonly hidden?: ReadonlySet<string>
  /** long and short names of every flag that takes a value, with dashes */
  readonly valueFlags: ReadonlySet<string>
}

/**
 * Reads an argument list as kubectl does: flags may stand before the command (`netctl -n shop trace …`), `help X` is `X --help`,
 * and a word that is no command is a mistake with a suggestion, never a help page with exit 0.
 */
export function resolveCommand(argv: readonly string[], surface: Surface): Request {
  if (argv[0] === '--version') return { kind: 'version' }
  const { leading, rest } = splitLeadingFlags(argv, surface.valueFlags)
  const wantsHelp = rest[0] === 'help' || askedForHelp(argv)
  const words = rest[0] === 'help' ? rest.slice(1) : rest
  const id = longestCommand(words, surface.commands)
  if (id !== undefined)
    return wantsHelp ? { kind: 'help', id } : { kind: 'command', id, argv: [...leading, ...words.slice(id.split(':').length)] }
  const topic = longestTopic(words, surface.commands)
  const next = words[topic.length]
  if (next !== undefined && !next.startsWith('-')) {
    const shown = surface.commands.filter((command) => !surface.hidden?.has(command))
    throw unknownCommand(topic, next, shown)
  }
  if (!wantsHelp && topic.length === 0 && leading.length > 0 && next === undefined) {
    throw new NetctlError({ code: 'USE001', message: `no command was given, only ${leading.join(' ')}`, try: 'netctl --help' })
  }
  return { kind: 'help', id: topic.length === 0 ? undefined : topic.join(':') }
}

/** `-h` or `--help` before a `--`. */
function askedForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).some((arg) => arg === '-h' || arg === '--help')
}

function splitLeadingFlags(
  argv: readonly string[],
  valueFlags: ReadonlySet<string>,
): { leading: readonly string[]; rest: readonly string[] } {
  let at = 0
  for (; at < argv.length; at++) {
    const arg = argv[at] ?? ''
    if (!arg.startsWith('-') || arg === '--') break
    if (valueFlags.has(arg)) at++
  }
  return { leading: argv.slice(0, at).filter((arg) => arg !== '-h' && arg !== '--help'), rest: argv.slice(at) }
}

function longestCommand(words: readonly string[], commands: readonly string[]): string | undefined {
  for (let n = words.length; n > 0; n--) {
    const id = words.slice(0, n).join(':')
    if (commands.includes(id)) return id
  }
  return undefined
}

/** The words that lead to a group of commands: `snapshot` of `snapshot show`. */
function longestTopic(words: readonly string[], commands: readonly string[]): readonly string[] {
  for (let n = words.length; n > 0; n--) {
    const prefix = `${words.slice(0, n).join(':')}:`
    if (commands.some((id) => id.startsWith(prefix))) return words.slice(0, n)
  }
  return []
}

function unknownCommand(topic: readonly string[], word: string, commands: readonly string[]): NetctlError {
  const prefix = topic.length === 0 ? '' : `${topic.join(':')}:`
  const siblings = commands.filter((id) => id.startsWith(prefix)).map((id) => id.slice(prefix.length))
  // `netctl show` is most likely `netctl snapshot show`
  const deeper = siblings.filter((id) => id.includes(':') && id.split(':').at(-1) === word)
  const near = [...nearest(word, [...new Set(siblings.map((id) => id.split(':')[0] ?? id))]), ...deeper]
  const path = ['netctl', ...topic].join(' ')
  const hint = near.map((id) => `${path} ${id.replaceAll(':', ' ')}`)
  return new NetctlError({
    code: 'USE001',
    message: `${path} ${word} is not a command`,
    try: hint.length > 0 ? hint.join(', or ') : `${path} --help`,
    exitCode: ExitCode.usage,
  })
}
