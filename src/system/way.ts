import type { RunScript } from './run-script.ts'

/** A way to nodes: by it their tables are read, and probes are sent from them. */
export interface Way {
  readonly kind: 'local' | 'ssh' | 'exec' | 'pod'
  /** for people, after `nodes are read by`: `exec into the calico-node pods of calico-system` */
  readonly said: string
  /** what can't be seen by it of any node, as snapshot.json says it under `missing` */
  readonly unseen: readonly string[]
  /** what runs scripts on that node, as root; a reason (no full stop) where this way does not lead there */
  to(node: string): Promise<RunScript | { readonly missing: string }>
  /** Nothing more is wanted of that node: what was made for it is taken away now rather than at the end. Never rejects. */
  leave(node: string): Promise<void>
  /** Takes away what was made on the way, pods for instance. Never rejects: what is left, and until when, is the answer. */
  close(): Promise<readonly string[]>
}
