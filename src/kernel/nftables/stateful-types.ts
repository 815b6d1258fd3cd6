/** Statements with a state: they also stand in sets and their elements. */
export type StatefulStatement =
  | { readonly kind: 'counter'; readonly packets: number; readonly bytes: number }
  | { readonly kind: 'limit'; readonly limit: Limit }
  | { readonly kind: 'quota'; readonly quota: Quota }
  /** `ct count [over] N` */
  | { readonly kind: 'connlimit'; readonly count: number; readonly over: boolean }
  /** `last used …`: ms ago, or never */
  | { readonly kind: 'last'; readonly used?: number }

export interface Limit {
  /** packets, or bytes with a unit */
  readonly rate: number
  readonly rateUnit: 'packets' | 'bytes' | 'kbytes' | 'mbytes'
  readonly per: 'second' | 'minute' | 'hour' | 'day' | 'week'
  readonly burst: number
  readonly burstUnit: 'packets' | 'bytes' | 'kbytes' | 'mbytes'
  /** `over`: matches what is beyond the limit */
  readonly over: boolean
}

export interface Quota {
  /** bytes */
  readonly limit: number
  readonly used: number
  readonly over: boolean
}
