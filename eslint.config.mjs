// Two kinds of rule matter here beyond the usual ones: which room may import which (arrows go one way only), and
// what workflow code may touch (nothing that would make a replay differ).
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/** Rooms and what each may import besides itself. A room that is not listed for another is out of its reach. */
const rooms = {
  workflows: [],
  certificates: [],
  time: [],
  sealing: ['workflows'],
  client: ['workflows', 'certificates', 'time'],
  nodes: ['workflows', 'time'],
  storage: ['workflows'],
  activities: ['workflows', 'client', 'nodes', 'storage', 'sealing', 'time'],
  workers: ['workflows', 'certificates', 'client', 'nodes', 'storage', 'activities', 'sealing', 'time'],
  server: ['workflows', 'storage', 'certificates', 'sealing', 'time'],
  web: ['workflows', 'client'],
  dev: ['workflows', 'client', 'nodes', 'storage', 'certificates', 'time'],
  // What a site's worker would decide, and what waits there, is explained by the very code that decides.
  cli: ['workflows', 'client', 'nodes', 'dev', 'activities', 'workers'],
  computations: [],
};

const roomRules = Object.entries(rooms).map(([room, allowed]) => {
  const forbidden = [...Object.keys(rooms), 'test'].filter(
    (other) => other !== room && !allowed.includes(other),
  );
  return {
    files: [`${room}/**/*.{ts,tsx}`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: `^(\\.\\./)+(${forbidden.join('|')})(/|$)`,
              message: `${room}/ may import only from ${[room, ...allowed].join(', ')} (see docs/architecture.md).`,
            },
            ...(room === 'workers' || room === 'activities'
              ? [
                  {
                    regex: '^(\\.\\./)+client(/index|/muster-api)?$',
                    message:
                      "Take the part of client/ that is meant: with all of it an edge worker would load the people's client, and memory at a site is the computation's.",
                  },
                ]
              : []),
            ...(room === 'workflows'
              ? [
                  {
                    regex: '^(?!\\./|zod$|@temporalio/workflow$|@temporalio/common$)',
                    message:
                      'Workflow code is deterministic: only zod, @temporalio/workflow and @temporalio/common.',
                  },
                ]
              : []),
          ],
        },
      ],
    },
  };
});

const nondeterministic = [
  'Date',
  'process',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'performance',
  'crypto',
  'Buffer',
  'require',
];

const collectedTimeout = {
  object: 'AbortSignal',
  property: 'timeout',
  message: 'It may never abort once it is within AbortSignal.any: use timeLimit (time/limit.ts).',
};

const lateFile = {
  selector: "ImportSpecifier[imported.name='createWriteStream']",
  message:
    'It makes its file some time later, maybe after who failed has removed it: open the file, then handle.createWriteStream().',
};

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      'node_modules/**',
      '.muster/**',
      'coverage/**',
      'client/generated/**',
      'jest.config.js',
    ],
  },
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ['**/*.{ts,tsx}'] })),
  {
    files: ['**/*.{ts,tsx}'],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-restricted-properties': ['error', collectedTimeout],
      'no-restricted-syntax': ['error', lateFile],
    },
  },
  { ...reactHooks.configs.flat.recommended, files: ['web/**/*.tsx', 'web/**/*.ts'] },
  ...roomRules,
  {
    files: ['workflows/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...nondeterministic.map((name) => ({
          name,
          message: 'Not deterministic on replay: use workflows/clock.ts or an activity.',
        })),
      ],
      'no-restricted-properties': [
        'error',
        collectedTimeout,
        { object: 'Math', property: 'random', message: 'Not deterministic on replay: use uuid4.' },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
