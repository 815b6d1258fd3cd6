import { NetctlError } from '../error.ts'
import { sanitize } from '../report/sanitize.ts'
import { findSnapshots } from '../system/nearby-snapshots.ts'
import { fuzzyFilter } from './fuzzy.ts'
import { Interrupted } from './interrupted.ts'
import { shellLine } from './shell-words.ts'

/** One line of a list to pick from. */
export interface Choice {
  /** what the command line would say */
  readonly value: string
  /** what the list says; the value if absent */
  readonly label?: string
  /** dim, behind the label: `n2 · Running` */
  readonly hint?: string
}

/**
 * Asks on stderr, so that stdout stays clean; the list narrows as one types. ctrl-C or escape ends the command with exit 130 and
 * the terminal as it was. Call it only where `terminal.canPrompt`.
 */
export async function pick(message: string, choices: readonly Choice[]): Promise<string> {
  // only who is asked pays for the prompts
  const { autocomplete, isCancel } = await import('@clack/prompts')
  const options = choices.map((choice) => ({
    value: choice.value,
    label: sanitize(choice.label ?? choice.value),
    ...(choice.hint === undefined ? {} : { hint: sanitize(choice.hint) }),
  }))
  let searched = ''
  const answer = await autocomplete<string>({
    message,
    output: process.stderr,
    maxItems: 10,
    options() {
      // a new search starts at its best match, not at what was in focus before
      if (this.userInput !== searched) {
        searched = this.userInput
        this.focusedValue = undefined
      }
      return fuzzyFilter(searched, options, (o) => `${o.label} ${o.hint ?? ''}`)
    },
    filter: () => true,
    validate: (value) => (value === undefined ? 'nothing matches: delete a letter' : undefined),
  })
  if (isCancel(answer)) throw new Interrupted()
  return answer
}

/** A snapshot out of those in and below the current folder and `examples`, the folder of those that came with netctl. */
export async function pickSnapshot(cwd: string, examples: string): Promise<string> {
  const found = findSnapshots([cwd, examples], cwd)
  if (found.length === 0) {
    throw new NetctlError({
      code: 'USE006',
      message: 'no snapshot was named, and there is none in or below this folder',
      try: '--snapshot PATH',
    })
  }
  return pick(
    'Snapshot',
    found.map(({ path, kind }) => ({ value: path, hint: kind })),
  )
}

/** What was picked, as one line that asks the same without a question. To be told on stderr. */
export function equalCommand(words: readonly string[]): string {
  return `Same as: ${sanitize(shellLine(['netctl', ...words]))}`
}
