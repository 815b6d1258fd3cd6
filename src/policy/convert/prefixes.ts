import { type Prefix, parsePrefix } from '../../net/ip.ts'

/** CIDRs or addresses that were checked when the object was read. */
export const prefixes = (texts: readonly string[]): readonly Prefix[] => texts.flatMap((text) => parsePrefix(text) ?? [])
