import { PROTOCOLS } from './protocols.ts'

/** A protocol as flows and tests say it: by name, in any case, or by number (0 to 255, in text too). */
export function protocolNumber(said: string | number): number | undefined {
  const text = String(said)
  const number = /^\d{1,3}$/.test(text) ? Number(text) : PROTOCOLS.get(text.toUpperCase())
  return number !== undefined && number <= 255 ? number : undefined
}
