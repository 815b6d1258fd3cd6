/** As far as the fake cluster uses it. */
declare module 'ws' {
  import type { EventEmitter } from 'node:events'
  import type { IncomingMessage } from 'node:http'
  import type { Duplex } from 'node:stream'

  export class WebSocket extends EventEmitter {
    readonly OPEN: 1
    readonly readyState: number
    readonly protocol: string
    readonly bufferedAmount: number
    send(bytes: Buffer, sent: (error?: Error) => void): void
    close(code: number): void
    terminate(): void
  }
  export class WebSocketServer {
    constructor(options: {
      readonly noServer: true
      readonly perMessageDeflate: boolean
      readonly handleProtocols: (offered: ReadonlySet<string>) => string | false
    })
    handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, opened: (socket: WebSocket) => void): void
    close(done: () => void): void
  }
}
