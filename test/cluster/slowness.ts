/** What every time limit is multiplied by: an emulated processor (test/vm) takes about ten times as long. */
export const slowness = process.env.NETCTL_IN_VM ? 10 : 1
