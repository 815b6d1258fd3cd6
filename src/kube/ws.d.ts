/** What exec needs of ws, which brings no types. */
declare module 'ws' {
  export default class Client {
    constructor(address: string, protocols: readonly string[], options: object)
    on(event: 'open', listener: () => void): this
    on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): this
    on(event: 'close', listener: (code: number) => void): this
    on(event: 'error', listener: (error: Error) => void): this
    on(
      event: 'unexpected-response',
      listener: (request: unknown, response: AsyncIterable<Buffer> & { readonly statusCode?: number }) => void,
    ): this
    send(data: Buffer): void
    close(): void
    terminate(): void
  }
}
