/** The sysctls of one network namespace, with the line of each. */
export interface Sysctls {
  readonly file: string
  /** dotted key as sysctl prints it (dots of device names as `/`) → value and line */
  get(key: string): { readonly value: string; readonly line: number } | undefined
  readonly size: number
}
