import { createHmac } from 'node:crypto'

/** What pseudonyms are drawn with: bytes that nobody can tell without the secret, the same for the same text. */
export interface Secret {
  /** 32 bytes. `purpose` keeps equal texts of different kinds apart. */
  bytes(purpose: string, text: string | Buffer): Buffer
}

/** `key`: random, used for one snapshot and then forgotten. */
export const secretOf = (key: Buffer): Secret => ({
  bytes: (purpose, text) => createHmac('sha256', key).update(purpose).update('\0').update(text).digest(),
})

const DIGITS = {
  base32: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
  base64url: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
} as const

/** A text of so many digits in place of a hash: what was hashed could else be guessed, and the guess be proved. */
export function digits(secret: Secret, alphabet: keyof typeof DIGITS, text: string, length: number): string {
  const signs = DIGITS[alphabet]
  return Array.from(secret.bytes(alphabet, text).subarray(0, length), (byte) => signs[byte % signs.length]).join('')
}
