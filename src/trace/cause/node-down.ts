/** The packet's next host is supposed to be off (what if): nobody else is to blame. */
import { DOWN } from '../down.ts'
import type { Explain } from './case.ts'

/** The cause is the link to the host that is off. */
export const nodeDown: Explain = ({ snapshot, blame }) =>
  snapshot.down && blame.entry.endsWith(DOWN) ? { node: blame.place.label, kind: 'link', entry: blame.entry } : undefined
