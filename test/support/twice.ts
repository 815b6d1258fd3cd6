/**
 * What is still wrong when it is asked again, alone and in a network made anew: a packet that a busy machine lost is no answer, and those
 * that were answered rightly are not asked for a better one.
 */
export async function twice<Q, A>(
  questions: readonly Q[],
  wrong: (some: readonly Q[]) => Promise<ReadonlyMap<Q, A>>,
): Promise<ReadonlyMap<Q, A>> {
  const first = await wrong(questions)
  return first.size === 0 ? first : wrong([...first.keys()])
}
