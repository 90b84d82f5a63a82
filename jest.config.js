/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  // Options live here and not in .swcrc: the workflow bundler would pick that file up.
  transform: {
    '^.+\\.[cm]?[tj]sx?$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  // Libraries that are published as ES modules only.
  transformIgnorePatterns: [
    '/node_modules/(?!(ora|get-port|jose|openid-client|oauth4webapi|fastify-type-provider-zod|@electric-sql|@scalar|github-slugger|pathe|nanoid|content-disposition|cookie|chalk|cli-cursor|restore-cursor|onetime|mimic-function|log-symbols|yoctocolors|is-unicode-supported|is-interactive|stdin-discarder|string-width|strip-ansi|ansi-regex|get-east-asian-width|cli-spinners)/)',
  ],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  testTimeout: 60_000,
  maxWorkers: 2,
};
