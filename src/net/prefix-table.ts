import type { Family, Ip, Prefix } from './ip.ts'

/**
 * Values by the blocks they belong to, found by an address in them: one look-up for each length that occurs, whatever the number
 * of blocks (a NetworkSet may hold tens of thousands).
 */
export interface PrefixTable<T> {
  readonly families: Readonly<Record<Family, readonly Length<T>[]>>
}

interface Length<T> {
  readonly mask: Prefix
  readonly blocks: ReadonlyMap<string | number, T[]>
}

/** A table of values by prefixes; several may have the same one. */
export function prefixTable<T>(entries: Iterable<readonly [block: Prefix, value: T]>): PrefixTable<T> {
  const families: Record<Family, { mask: Prefix; blocks: Map<string | number, T[]> }[]> = { 4: [], 6: [] }
  for (const [block, value] of entries) {
    const lengths = families[block.ip.family]
    let length = lengths.find((x) => x.mask.length === block.length)
    if (!length) lengths.push((length = { mask: block, blocks: new Map() }))
    const key = masked(block, block.ip)
    const values = length.blocks.get(key)
    if (!values) length.blocks.set(key, [value])
    // a list may say the same thing twice
    else if (values.at(-1) !== value) values.push(value)
  }
  return { families }
}

/** The bits of `address` that `mask` keeps, as a key among addresses of the same family and length. */
function masked(mask: Prefix, { family, a, b, c, d }: Ip): string | number {
  if (family === 4) return d & mask.md
  return `${a & mask.ma},${b & mask.mb},${c & mask.mc},${d & mask.md}`
}

/** Values of all blocks around an address. */
export function blocksAround<T>(table: PrefixTable<T>, address: Ip): T[] {
  const found: T[] = []
  for (const { mask, blocks } of table.families[address.family]) {
    const values = blocks.get(masked(mask, address))
    if (values) for (const value of values) found.push(value)
  }
  return found
}

/** Whether any block is around an address. */
export function covers(table: PrefixTable<unknown>, address: Ip): boolean {
  return table.families[address.family].some(({ mask, blocks }) => blocks.has(masked(mask, address)))
}
