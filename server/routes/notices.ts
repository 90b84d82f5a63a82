/** Who is told of what happens to runs; and, for central workers, what to tell them. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ConsortiumId } from '../../workflows/contract';
import {
  DeliveryOrder,
  DeliveryReport,
  MyNotices,
  MyNoticesView,
  NoticeBody,
  NoticeId,
  NoticeList,
  PutNotice,
  TestedNotice,
} from '../../workflows/notice-contract';
import { DeliveryId } from '../../workflows/notice-delivery';
import { mustBePerson, type Caller } from '../access';
import type { Deliveries } from '../notices/deliveries';
import type { Mail } from '../notices/mail';
import type { Outbox } from '../notices/outbox';
import type { PeopleNotices } from '../notices/people';
import type { Receivers } from '../notices/receivers';
import { HttpProblem } from '../problem';
import { nothing, YesNo } from './responses';

const ConsortiumPath = z.object({ consortiumId: ConsortiumId });
const NoticePath = ConsortiumPath.extend({ noticeId: NoticeId });
const DeliveryPath = z.object({ deliveryId: DeliveryId });
const tags = ['notices'];

interface Deps {
  receivers: Receivers;
  outbox: Outbox;
  deliveries: Deliveries;
  people: PeopleNotices;
  mail: Mail;
}

export const noticeRoutes: FastifyPluginCallbackZod<Deps> = (server, deps, done) => {
  const { receivers, outbox, deliveries, people, mail } = deps;

  server.get(
    '/consortia/:consortiumId/notices',
    {
      config: { roles: ['lead'] },
      schema: {
        operationId: 'listNotices',
        summary: "Who is told of what happens to the consortium's runs, and what came of it",
        tags,
        params: ConsortiumPath,
        response: { 200: NoticeList },
      },
    },
    async ({ params: { consortiumId } }) => ({
      notices: await receivers.list(consortiumId),
      noMailServer: await mail.isWithoutServer(),
    }),
  );

  server.put(
    '/consortia/:consortiumId/notices/:noticeId',
    {
      config: { roles: ['lead'], audit: 'notice.put', refuses: ['too-many-notices'] },
      schema: {
        operationId: 'putNotice',
        summary: 'Have someone told, or change of what',
        description:
          'A webhook is posted a small JSON document, signed as Standard Webhooks has it: the secret is in the answer when the ' +
          'webhook is new or `renewSecret` asks for another one, and never again. An address that was switched off is on again.',
        tags,
        params: NoticePath,
        querystring: z.object({
          renewSecret: YesNo.prefault('false').describe('Whether to make a new secret.'),
        }),
        body: NoticeBody,
        response: { 200: PutNotice },
      },
    },
    async ({ params: { consortiumId, noticeId }, query, body, claims }) =>
      receivers.put({ consortiumId, id: noticeId }, body, claims.sub, query.renewSecret),
  );

  server.delete(
    '/consortia/:consortiumId/notices/:noticeId',
    {
      config: { roles: ['lead'], audit: 'notice.remove' },
      schema: {
        operationId: 'removeNotice',
        summary: 'Tell someone no more',
        tags,
        params: NoticePath,
        response: { 204: nothing },
      },
    },
    async ({ params: { consortiumId, noticeId } }, reply) => {
      await receivers.remove({ consortiumId, id: noticeId });
      return reply.code(204).send();
    },
  );

  server.post(
    '/consortia/:consortiumId/notices/:noticeId/test',
    {
      config: { roles: ['lead'], audit: 'notice.test' },
      schema: {
        operationId: 'testNotice',
        summary: 'Send a test, to see whether it arrives',
        description: 'What became of it is among the deliveries of the notice, after some seconds.',
        tags,
        params: NoticePath,
        response: { 202: TestedNotice },
      },
    },
    async ({ params: { consortiumId, noticeId } }, reply) => {
      await receivers.get({ consortiumId, id: noticeId });
      const deliveryId = await outbox.writeTest(consortiumId, noticeId);
      outbox.wake();
      return reply.code(202).send({ deliveryId });
    },
  );

  server.get(
    '/me/notices',
    {
      config: { roles: ['person'] },
      schema: {
        operationId: 'getMyNotices',
        summary: 'What the caller is told of by mail',
        tags,
        response: { 200: MyNoticesView },
      },
    },
    async ({ claims }) => ({
      on: await people.get(accountOf(claims)),
      noMailServer: await mail.isWithoutServer(),
    }),
  );

  server.put(
    '/me/notices',
    {
      config: { roles: ['person'], audit: 'my-notices.put' },
      schema: {
        operationId: 'putMyNotices',
        summary: 'Be told by mail of the runs of my consortia and sites, or of none',
        tags,
        body: MyNotices,
        response: { 200: MyNoticesView },
      },
    },
    async ({ claims, body }) => {
      await people.put(accountOf(claims), body.on);
      return { ...body, noMailServer: await mail.isWithoutServer() };
    },
  );

  server.get(
    '/notice-deliveries/:deliveryId',
    {
      config: { roles: ['central'], needs: ['keys'], refuses: ['unknown-notice'] },
      schema: {
        operationId: 'getDeliveryOrder',
        summary: 'What a central worker is to send, and to whom',
        tags,
        params: DeliveryPath,
        response: { 200: DeliveryOrder },
      },
    },
    ({ params: { deliveryId } }) => deliveries.order(deliveryId),
  );

  server.post(
    '/notice-deliveries/:deliveryId/report',
    {
      config: { roles: ['central'], refuses: ['unknown-notice'] },
      schema: {
        operationId: 'reportDelivery',
        summary: 'What became of an attempt to send it',
        tags,
        params: DeliveryPath,
        body: DeliveryReport,
        response: { 204: nothing },
      },
    },
    async ({ params: { deliveryId }, body }, reply) => {
      await deliveries.report(deliveryId, body);
      return reply.code(204).send();
    },
  );
  done();
};

/** @throws HttpProblem where there is no account that a mail could be sent to */
function accountOf(claims: Caller): string {
  const { id, via } = mustBePerson(claims);
  if (via !== 'operator' && !id.startsWith('operator:')) return id;
  throw new HttpProblem(
    'forbidden',
    'An operator has no account, and so no mail address: sign in as a person.',
  );
}
