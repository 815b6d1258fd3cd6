/** Works a value out when it is first asked for, and keeps it. If that throws, the next who asks makes it throw again. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

/** `plain`, with properties that are worked out when they are first asked for. */
export function lazy<P extends object, L extends object>(plain: P, makers: { readonly [K in keyof L]: () => L[K] }): P & L {
  const object = { ...plain }
  for (const key of Object.keys(makers)) Object.defineProperty(object, key, { get: once(makers[key as keyof L]), enumerable: true })
  return object as P & L
}

/** `object` with other values in place of some. What is lazy stays so, which spreading would not leave so. */
export const replaced = <T extends object>(object: T, changes: Partial<T>): T =>
  Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(object), ...Object.getOwnPropertyDescriptors(changes) }) as T
