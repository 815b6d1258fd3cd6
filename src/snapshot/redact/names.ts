/** Names for names: every text has one pseudonym in the whole snapshot, whatever it names, so that what was equal stays equal. */

/** Names that every cluster has, or that many give to the same thing: they tell nobody whose cluster it is. */
const COMMON: ReadonlySet<string> = new Set(
  `default kube-system kube-public kube-node-lease calico-system calico-apiserver tigera-operator kubernetes kube-dns coredns kube-proxy calico-node
  adminnetworkpolicy baselineadminnetworkpolicy kube-admin kube-baseline projectcalico-default-allow k8s-pod-network
  http https dns dns-tcp metrics grpc tcp udp linux windows amd64 arm64 k8s true false`.split(/\s+/),
)

export type NameKind =
  | 'policy'
  | 'tier'
  | 'node'
  | 'ns'
  | 'svc'
  | 'pod'
  | 'external'
  | 'hep'
  | 'pool'
  | 'netset'
  | 'sa'
  | 'slice'
  | 'port'
  | 'key'
  | 'value'
  | 'x'

/** A name of two kinds goes by the first of them. Policies before all: of equal order, Calico's and Kubernetes' apply in the order of their names. */
const RANK: readonly NameKind[] = [
  'policy',
  'tier',
  'node',
  'ns',
  'svc',
  'pod',
  'external',
  'hep',
  'pool',
  'netset',
  'sa',
  'slice',
  'port',
  'key',
  'value',
  'x',
]

/** Replaces names of objects, in three steps: `learn` all of them, `seal`, then ask for pseudonyms. */
export class Names {
  readonly #kinds = new Map<string, NameKind>()
  readonly #made = new Map<string, string>()
  #count = 0

  /** A name that stands in the snapshot. All must be known before the first pseudonym is asked for. */
  learn(text: string, kind: NameKind): void {
    if (text === '' || COMMON.has(text)) return
    const known = this.#kinds.get(text)
    if (known === undefined || RANK.indexOf(kind) < RANK.indexOf(known)) this.#kinds.set(text, kind)
  }

  /** Gives what was learned its pseudonyms: those of a kind are in the order of the texts. */
  seal(): void {
    const byKind = new Map<NameKind, string[]>()
    for (const [text, kind] of this.#kinds) {
      const texts = byKind.get(kind)
      if (texts) texts.push(text)
      else byKind.set(kind, [text])
    }
    for (const [kind, texts] of byKind) {
      const made = numbered(kind, texts.length, (name) => this.#kinds.has(name))
      for (const [i, text] of texts.sort().entries()) this.#made.set(text, made[i] as string)
    }
  }

  /** All that is known, for conditions on parts of a text. */
  *texts(): Iterable<string> {
    yield* this.#kinds.keys()
    yield* COMMON
  }

  /** A policy's name, which may begin with its tier's, or with where Calico has it from. */
  policy(text: string, tier: string | undefined): string {
    const [, origin = '', rest = text] =
      /^(knp\.default\.|kanp\.adminnetworkpolicy\.|kbanp\.baselineadminnetworkpolicy\.)(.+)$/.exec(text) ?? []
    const prefix = `${tier ?? 'default'}.`
    if (origin === '' && rest.startsWith(prefix) && rest !== prefix)
      return `${this.name(tier ?? 'default')}.${this.name(rest.slice(prefix.length))}`
    return origin + this.name(rest)
  }

  /** The pseudonym of any text; of one that was not learned, a new one. */
  name(text: string): string {
    if (text === '' || COMMON.has(text)) return text
    let made = this.#made.get(text)
    if (made === undefined) {
      do made = `x-${++this.#count}`
      while (this.#kinds.has(made))
      this.#made.set(text, made)
    }
    return made
  }
}

/** `pod-001`, `pod-002`, …: as many as asked for, none of which is a name already. */
function numbered(kind: NameKind, count: number, isTaken: (name: string) => boolean): readonly string[] {
  // some numbers may be taken, and the order of the texts is kept
  const width = String(2 * count).length
  const out: string[] = []
  for (let n = 1; out.length < count; n++) {
    const name = `${kind}-${String(n).padStart(width, '0')}`
    if (!isTaken(name)) out.push(name)
  }
  return out
}
