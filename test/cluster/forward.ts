/** `node forward.ts ADDRESS PORT`, run in another network namespace: passes the connections of a listening socket it is sent on to there. */
import { connect, type Server } from 'node:net'
import { pipeline } from 'node:stream'

const [, , host = '', port = ''] = process.argv

process.on('message', (_, server) => {
  ;(server as Server).on('connection', (from) => {
    const to = connect(Number(port), host)
    // either end going ends both; the client sees its connection closed
    pipeline(from, to, () => to.destroy())
    pipeline(to, from, () => from.destroy())
  })
  process.send?.('listening')
})
