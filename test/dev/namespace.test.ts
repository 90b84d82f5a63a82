import { SEARCH_ATTRIBUTES } from '../../workflows/contract';
import { ensureNamespace } from '../../dev/namespace';
import { useTemporal } from '../support/temporal';

const temporal = useTemporal();

it('gives a new namespace the search attributes, at once usable in a query', async () => {
  const { connection, namespace } = temporal;
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(Object.keys(SEARCH_ATTRIBUTES)));
  await expect(
    connection.workflowService.listWorkflowExecutions({ namespace, query: "MusterStatus = 'running'" }),
  ).resolves.toMatchObject({ executions: [] });
});

it('leaves a namespace that is there as it is', async () => {
  await expect(ensureNamespace(temporal.connection, temporal.namespace)).resolves.toBeUndefined();
});
