import { Interrupted } from './interrupted.ts'
import { equalCommand } from './pickers.ts'

export interface Asking {
  /** `--yes` */
  readonly yes: boolean
  readonly canPrompt: boolean
  readonly tell: (text: string) => void
  /** what was typed, after `netctl`, where it can be typed again */
  readonly words?: readonly string[]
  /** what yes and no come to */
  readonly question: string
}

/** Of pods on nodes. */
export const PODS_QUESTION = 'Make them? (no: read what can be read without)'

/** Whether a change may be made: `--yes`, or a yes on a terminal, either way with the plan on stderr; else not. ctrl-C ends the command. */
export const consentBy =
  ({ yes, canPrompt, tell, words, question }: Asking) =>
  async (plan: readonly string[]): Promise<boolean> => {
    if (!yes && !canPrompt) return false
    for (const line of plan) tell(line)
    if (yes) return true
    // only who is asked pays for the prompts
    const { confirm, isCancel } = await import('@clack/prompts')
    const answer = await confirm({
      message: question,
      output: process.stderr,
      initialValue: false,
    })
    if (isCancel(answer)) throw new Interrupted()
    if (answer && words) tell(equalCommand([...words, '--yes']))
    return answer
  }
