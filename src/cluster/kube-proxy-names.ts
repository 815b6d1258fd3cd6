/** Names that kube-proxy makes of Services' names (pkg/proxy/iptables/proxier.go). */
import { createHash } from 'node:crypto'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** First 16 characters of base32(SHA-256(text)): the names of kube-proxy's chains (pkg/proxy/iptables/proxier.go). */
export function chainHash(text: string): string {
  const bytes = createHash('sha256').update(text).digest()
  let out = ''
  let bits = 0
  let have = 0
  for (let i = 0; i < 10; i++) {
    bits = ((bits << 8) | (bytes[i] as number)) & 0xfff
    have += 8
    while (have >= 5) {
      have -= 5
      out += alphabet[(bits >>> have) & 31]
    }
  }
  return out
}

/** `namespace/name[:port]`, as kube-proxy names a Service port. */
export const servicePortName = (namespace: string, name: string, port: string | undefined): string =>
  port === undefined || port === '' ? `${namespace}/${name}` : `${namespace}/${name}:${port}`
