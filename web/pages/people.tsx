/** Everybody who has an account, and who is invited. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api';
import { wordsOf } from '../api/errors';
import { invitationsQuery } from '../api/lists';
import { GrantFields, GrantWords, NO_GRANTS } from '../people/grants';
import { Act } from '../parts/act';
import { Button, Trouble } from '../parts/controls';
import { Copy } from '../parts/copy';
import { Invite } from '../parts/invite';
import { Section, Table } from '../parts/section';
import { Failure, Skeleton } from '../parts/states';
import { Moment } from '../parts/times';
import { Hero, useTitle } from '../parts/title';
import { queries, useMe } from '../session';

const renewPeople = () => queries.invalidateQueries({ queryKey: ['people'] });

export function PeoplePage() {
  useTitle('People');
  const me = useMe();
  const [link, setLink] = useState<string>();
  const list = useInfiniteQuery({
    queryKey: ['people', 'all'],
    queryFn: ({ pageParam, signal }) =>
      api.listPeople({ query: pageParam === undefined ? {} : { after: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next,
  });
  if (!list.data && list.error) return <Failure error={list.error} what="list" />;
  return (
    <>
      <Hero title="People" />
      <Section title="Accounts">
        {!list.data && <Skeleton what="People" lines={5} />}
        {list.data && (
          <Table
            columns={['Name', 'May', 'Since', '']}
            rows={list.data.pages.flatMap(({ people }) => people)}
            keyOf={({ id }) => id}
            empty="Nobody has an account yet. Invite the first one."
            cells={({ id, name, email, admin, consortia, sites, createdAt, disabledAt }) => [
              <>
                {name}
                <span className="hint">{email}</span>
              </>,
              <GrantWords grants={{ admin, consortia, sites }} />,
              <>
                <Moment at={createdAt} />
                {disabledAt !== undefined && <span className="hint">disabled</span>}
              </>,
              id !== me.id && (
                <div className="row-actions">
                  <Act
                    look="quiet"
                    what={name}
                    confirm={
                      admin
                        ? {
                            title: `Is ${name} to be no administrator any more?`,
                            text: 'They keep their roles in consortia and at sites, and may do nothing else.',
                          }
                        : {
                            title: `Make ${name} an administrator?`,
                            text: 'They may then do everything here, and can take the same from you.',
                          }
                    }
                    act={async () => {
                      await api.changePerson({ path: { personId: id }, body: { admin: !admin } });
                      await renewPeople();
                    }}
                  >
                    {admin ? 'No administrator' : 'Make administrator'}
                  </Act>
                  <Act
                    look="quiet"
                    what={name}
                    {...(disabledAt === undefined && {
                      confirm: {
                        title: `Disable the account of ${name}?`,
                        text: 'They are signed out everywhere, their tokens are let in no more, and they cannot sign in until the account is enabled again.',
                      },
                    })}
                    act={async () => {
                      const disabled = disabledAt === undefined;
                      await api.changePerson({ path: { personId: id }, body: { disabled } });
                      await renewPeople();
                    }}
                  >
                    {disabledAt === undefined ? 'Disable' : 'Enable'}
                  </Act>
                  <Act
                    look="quiet"
                    what={`for ${name}`}
                    act={async () => setLink((await api.resetPassword({ path: { personId: id } })).link)}
                  >
                    New password
                  </Act>
                </div>
              ),
            ]}
          />
        )}
        {list.hasNextPage && (
          <Button look="quiet" onPress={() => void list.fetchNextPage()}>
            Show more
          </Button>
        )}
        {link !== undefined && (
          <div className="shown-once" role="status">
            <p>By this link the person sets their password anew. It is not shown again.</p>
            <Copy text={link} what="the link" />
          </div>
        )}
      </Section>
      <Invitations />
    </>
  );
}

function Invitations() {
  const { data, error } = useQuery(invitationsQuery);
  const open = data?.filter(({ usedAt }) => usedAt === undefined);
  return (
    <Section title="Invitations">
      <Trouble>{error ? wordsOf(error) : undefined}</Trouble>
      {!open && !error && <Skeleton what="Invitations" />}
      {open && (
        <Table
          columns={['For', 'Gives', 'By', 'Good until', '']}
          rows={open}
          keyOf={({ id }) => id}
          empty="None is open."
          cells={({ id, email, createdBy, expiresAt, resets, ...grants }) => [
            email ?? 'whoever has the link',
            resets ? 'a new password' : <GrantWords grants={grants} none="an account" />,
            createdBy,
            <Moment at={expiresAt} />,
            <Act
              look="quiet"
              what={`the invitation for ${email ?? 'whoever has the link'}`}
              confirm={{
                title: 'Take the invitation back?',
                text: 'Its link is good for nothing then. Who is to come has to be invited once more.',
              }}
              act={async () => {
                await api.revokeInvitation({ path: { id } });
                await renewPeople();
              }}
            >
              Take back
            </Act>,
          ]}
        />
      )}
      <InviteAnybody />
    </Section>
  );
}

function InviteAnybody() {
  const [grants, setGrants] = useState(NO_GRANTS);
  return (
    <Invite what="Invite somebody" gives={grants} onMade={() => setGrants(NO_GRANTS)}>
      <GrantFields grants={grants} onChange={setGrants} />
    </Invite>
  );
}
