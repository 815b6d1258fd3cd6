import { type Scene, servicesOf } from '../../policy/query/services.ts'
import { resolveNamespace } from '../namespace.ts'
import type { Terminal } from '../terminal.ts'
import { type InputFlags, notesOf, readInput } from './inputs.ts'
import type { PolicyInput } from './sources.ts'
import { loadWorld, refusalLine, wholeWorld } from './world.ts'

/** What flags name, read and built. */
export interface LoadedScene extends Scene {
  readonly input: PolicyInput
  /** to be told on stderr before the answer */
  readonly notes: readonly string[]
  /** was something left out that the API would refuse? */
  readonly partial: boolean
}

/** `partial`: goes on without what the API would refuse, and says so in the notes; else throws. */
export async function loadScene(
  flags: InputFlags & { readonly verbose?: boolean },
  terminal: Terminal,
  root: string,
  { partial = false }: { readonly partial?: boolean } = {},
): Promise<LoadedScene> {
  const input = await readInput(flags, terminal, root, { partial: true })
  const { world, refused } = partial ? loadWorld(input) : { world: wholeWorld(input), refused: [] }
  const notes = [
    ...refused.map((error) => `refused: ${refusalLine(error)}`),
    ...notesOf(input, flags.verbose === true),
    ...(flags.verbose ? world.notes : []),
  ]
  return { world, services: servicesOf(input.objects), namespace: await resolveNamespace(flags), input, notes, partial: refused.length > 0 }
}
