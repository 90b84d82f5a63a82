/** What the description says of how requests are refused: exactly, completely, and by no more than there is. */
import { typeOf } from '../../server/problem';
import { PROBLEM_KINDS } from '../../server/problem-kinds';
import { refusalsOf, statusOf, type RouteFacts } from '../../server/refusals';
import { operationsIn, readDescription, typesIn } from './description';

const description = readDescription();
const operations = operationsIn(description);
const responses = Object.values(description.components.responses);

describe('problems in the description of the API', () => {
  it('have a type that is known, and every known type is of some operation', () => {
    const own = operations.flatMap((operation) =>
      Object.values(operation.responses).flatMap((response) => ('$ref' in response ? [] : typesIn(response))),
    );
    const described = new Set([...own, ...responses.flatMap(typesIn)]);
    expect([...described].sort()).toEqual(['about:blank', ...PROBLEM_KINDS.map(typeOf)].sort());
  });

  it('come with statuses that are exact', () => {
    const statuses = operations.flatMap((operation) => Object.keys(operation.responses));
    expect(statuses.filter((status) => !/^\d{3}$/.test(status))).toEqual([]);
  });

  it('have an example of every type that they may be of', () => {
    for (const response of responses) {
      const { examples = {} } = response.content?.['application/problem+json'] ?? {};
      const types = Object.values(examples).map(({ value }) => value);
      expect(types).toEqual(typesIn(response).map((type) => expect.objectContaining({ type }) as unknown));
    }
  });
});

describe('how a route may be refused follows from what it is', () => {
  const route = (facts: Partial<RouteFacts>): RouteFacts => ({
    ...{ method: 'GET', url: '/api/things', roles: 'anyone', beforePassword: false },
    ...{ needs: [], refuses: [], isChecked: false, headers: [] },
    ...facts,
  });

  it.each<[string, Partial<RouteFacts>, (string | number)[]]>([
    ['one that anyone may read', {}, [500]],
    ['one that changes something', { method: 'DELETE' }, [400, 413, 415, 'database-unreachable', 500]],
    [
      'one for people',
      { roles: ['person'] },
      ['unauthenticated', 'forbidden', 'password-change-needed', 'database-unreachable', 500],
    ],
    [
      'one for who has to choose a password',
      { roles: ['person'], beforePassword: true },
      ['unauthenticated', 'forbidden', 'database-unreachable', 500],
    ],
    [
      'one for sites',
      { roles: ['site'], url: '/api/sites/:siteId' },
      [
        ...[400, 'unauthenticated', 'forbidden', 'certificate-needed', 'certificate-refused'],
        ...['certificate-expired', 'certificate-revoked', 'database-unreachable', 500],
      ],
    ],
    [
      'a change of what was read',
      {
        ...{ method: 'PATCH', url: '/api/consortia/:consortiumId', roles: ['lead'] },
        ...{ isChecked: true, headers: ['if-match'], needs: ['keys'], refuses: ['invalid-parameters'] },
      },
      [
        ...[400, 413, 415, 'invalid-request', 'unauthenticated', 'forbidden', 'password-change-needed'],
        ...['unknown-consortium', 'changed-meanwhile', 'precondition-needed', 'invalid-parameters'],
        ...['key-missing', 'database-unreachable', 500],
      ],
    ],
    [
      'one that makes what the path names',
      { method: 'PUT', url: '/api/consortia/:consortiumId', roles: ['admin'], beforePassword: true },
      [400, 413, 415, 'unauthenticated', 'forbidden', 'database-unreachable', 500],
    ],
  ])('%s', (_what, facts, refusals) => {
    expect(refusalsOf(route(facts))).toEqual(refusals);
  });

  it('each of a status', () => {
    expect([statusOf('precondition-needed'), statusOf(413)]).toEqual([428, 413]);
  });
});
