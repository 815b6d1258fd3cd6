/** Flows in the made-up cluster, and what is found to be wrong with them. */
import { expect } from 'vitest'
import { causes, type Made, made, p1 } from './made.ts'

export const web = { from: p1, dst: '10.96.0.20', port: 80 }
export const direct = { from: p1, dst: '10.244.2.2', port: 8080 }
export const ext = { kind: 'external', name: 'ext' } as const

export const remove = (list: string[], what: string): void => {
  const kept = list.filter((x) => !x.includes(what))
  if (kept.length === list.length) throw new Error(`nothing has ${what}`)
  list.splice(0, list.length, ...kept)
}

/** The one cause of a flow. */
export function cause(change: (m: Made) => void, flow: Parameters<typeof causes>[1]): object | string {
  const found = causes(made(change), flow)
  expect(found).toHaveLength(1)
  return found[0] as object
}
