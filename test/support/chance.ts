/**
 * May something of probability `p` have happened `count` times out of `total`? No, if so few or so many are less likely than one in ten thousand
 * million: thousands of such questions in a run raise no false alarm, whereas standard deviations say little of rare things and few trials.
 */
export function mayHappen(count: number, total: number, p: number): boolean {
  if (p >= 1 - 1e-9) return count === total
  const isMany = count > p * total
  let tail = 0
  for (let k = isMany ? count : 0; k <= (isMany ? total : count); k++) tail += binomial(k, total, p)
  return tail >= 1e-10
}

/** by logarithms: factors alone are too large and too small */
function binomial(count: number, total: number, p: number): number {
  let log = count * Math.log(p) + (total - count) * Math.log1p(-p)
  for (let k = 1; k <= count; k++) log += Math.log((total - count + k) / k)
  return Math.exp(log)
}
