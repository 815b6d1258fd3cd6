/** A part of a running cluster, as it was read: its objects, or the tables of one node with some of its pods. */
export interface Piece {
  /** when its reading began, in milliseconds since the epoch */
  readonly takenAt: number
  /** when it ended */
  readonly endedAt: number
  /** by their names in a snapshot */
  readonly files: ReadonlyMap<string, Buffer>
  /** what could not be had of it, and why */
  readonly missing: readonly string[]
  /** of a node: the pods (`shop/web-1`) whose namespaces were asked for */
  readonly pods: readonly string[]
  /** of a node: the kind of the way that it was reached by */
  readonly by?: string
  /** nothing broke off while it was read */
  readonly whole: boolean
  /** it was read for an earlier question */
  readonly kept?: boolean
}

/** A node that a question needs, and the pods on it. */
export interface Wanted {
  readonly node: string
  readonly pods: readonly string[]
}

/** How the parts of a cluster are come by. */
export interface Reading {
  objects(): Promise<Piece>
  /** Reads nodes at the same time; in place of one that can't be read its reason (one sentence, no full stop). Never rejects for a node's sake. */
  nodes(wanted: readonly Wanted[]): Promise<ReadonlyMap<string, Piece | string>>
}
