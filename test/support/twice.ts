/**
 * What is still wrong when it is asked again, alone and in a network made anew: a packet that a busy machine lost is no answer, and those
 * that were answered rightly are not asked for a better one. `again`: now there is time for patience.
 */
export async function twice<Q, A>(
  questions: readonly Q[],
  wrong: (some: readonly Q[], again: boolean) => Promise<ReadonlyMap<Q, A>>,
): Promise<ReadonlyMap<Q, A>> {
  const first = await wrong(questions, false)
  return first.size === 0 ? first : wrong([...first.keys()], true)
}
