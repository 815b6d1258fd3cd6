/** Lines as `conntrack -L` prints them. */

interface Said {
  /** TCP: state; absent for UDP */
  readonly state?: string
  readonly src: string
  readonly dst: string
  readonly sport: number
  readonly dport: number
  /** where answers come from and go to, where that is translated */
  readonly from?: string
  readonly fromPort?: number
  readonly to?: string
  readonly toPort?: number
  readonly flags?: readonly string[]
  readonly timeout?: number
}

export function entry(e: Said): string {
  const flags = e.flags ?? ['ASSURED']
  const mark = (f: string) => (flags.includes(f) ? `[${f}] ` : '')
  const reply = `src=${e.from ?? e.dst} dst=${e.to ?? e.src} sport=${e.fromPort ?? e.dport} dport=${e.toPort ?? e.sport}`
  const proto = e.state === undefined ? 'udp      17' : 'tcp      6'
  // offloaded entries have no timeout
  const timeout = flags.includes('OFFLOAD') ? '' : ` ${e.timeout ?? 100}`
  return `${proto}${timeout} ${e.state === undefined || flags.includes('OFFLOAD') ? '' : `${e.state} `}src=${e.src} dst=${e.dst} sport=${e.sport} dport=${e.dport} ${mark('UNREPLIED')}${reply} ${mark('ASSURED')}${mark('OFFLOAD')}mark=0 use=1\n`
}
