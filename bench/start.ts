/** What a start costs, in starts of a bare Node. */
import { example, netctl, race, report } from './measure.ts'

const times = race(
  [
    { name: 'bare', argv: [process.execPath, '-e', '0'] },
    { name: 'netctl --version', argv: [...netctl, '--version'] },
    { name: 'netctl trace, the example', argv: [...netctl, 'trace', 'pod/shop/web-1', 'svc/shop/api:80', '--snapshot', example] },
  ],
  15,
)
const bare = times.get('bare') ?? Number.NaN
const most: Readonly<Record<string, number>> = { 'netctl --version': 5, 'netctl trace, the example': 12 }

report('bare node -e 0', `${bare.toFixed(3)} s`)
for (const [name, time] of times)
  if (name !== 'bare') report(name, `${time.toFixed(3)} s`, `${(time / bare).toFixed(1)} × bare node (at most ${most[name]})`)
