/** A run's input for tests: small, valid, and quick to give up. */
import { RunInput, type RunInputDraft } from '../../workflows/contract';

/** A valid input with `siteIds`; `more` replaces top-level parts of it. */
export function runInput(siteIds: readonly string[], more: Partial<RunInputDraft> = {}): RunInput {
  return RunInput.parse(runInputDraft(siteIds, more));
}

/** {@link runInput} as a person would write it. */
export function runInputDraft(siteIds: readonly string[], more: Partial<RunInputDraft> = {}): RunInputDraft {
  return {
    consortium: { id: 'test', name: 'Test consortium' },
    computation: { name: 'example', version: '1.0.0' },
    sites: siteIds.map((id) => ({ id, name: `Site ${id}`, dataset: 'data' })),
    startedBy: 'lead@example.org',
    ...more,
  };
}
