import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // oclif writes through process.stdout; vitest's own interception would swallow it
    disableConsoleIntercept: true,
    testTimeout: 30_000,
    maxWorkers: 2,
  },
})
