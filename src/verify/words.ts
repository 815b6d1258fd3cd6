import { OBJECT_NAME } from '../cluster/object-name.ts'
import { parseIp } from '../net/ip.ts'
import type { Space } from './types.ts'

/**
 * Words that become part of a shell script or of nft's text on somebody's node: each is checked here, whoever made it, and thrown at if it is not of our
 * own making (a bug, as what users and clusters say is checked where it is read).
 */

export interface Endings {
  readonly src: string
  readonly dst: string
}

const bad = (what: string, word: unknown): never => {
  throw new TypeError(`not ${what}: ${JSON.stringify(word)}`)
}

/** As `Ip.text` spells it. */
export const addressWord = (text: string): string => (parseIp(text)?.text === text ? text : bad('an address in canonical form', text))

/** A whole number from 0 to `most`. */
export const numberWord = (n: number, most: number): string =>
  Number.isInteger(n) && n >= 0 && n <= most ? String(n) : bad(`a number up to ${most}`, n)

/** The id of a run. */
export const idWord = (id: string): string => (/^[a-z0-9]{8,32}$/.test(id) ? id : bad('the id of a run', id))

/** The id of a probe. */
export const probeWord = (id: string): string => (/^[a-z0-9-]{1,64}$/.test(id) ? id : bad('the id of a probe', id))

/** Bytes of a payload, 1400 at most. */
export const hexWord = (data: string): string => (/^(?:[0-9a-f]{2}){0,1400}$/.test(data) ? data : bad('bytes in hexadecimal', data))

/** `node`, or `pod NAMESPACE_NAME`: DNS labels and subdomains (RFC 1123), as Kubernetes has them. */
export function spaceWords(space: Space): string {
  if (space === 'node') return 'node'
  const { namespace, name } = space
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace)) return bad('a namespace', namespace)
  if (!OBJECT_NAME.test(name)) return bad('a name of a pod', name)
  return `pod ${namespace}_${name}`
}
