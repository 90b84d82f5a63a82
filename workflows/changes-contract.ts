/** The central API's payloads of what changes in the lists that people look at, and of what waits for them. */
import { z } from 'zod';
import { RunSummary } from './api-contract';
import { ConsortiumId, NodeName, RunId, SiteId } from './contract';

/** Something that waits for a person to do something. */
export const WaitingItem = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('node'),
    consortiumId: ConsortiumId,
    runId: RunId,
    node: NodeName,
    type: z
      .string()
      .describe(
        'What it waits for; docs/errors.md lists the types. `ApprovalNeeded` waits for a site to agree.',
      ),
    message: z.string(),
    advice: z.string(),
    turn: z.string().describe('Whose turn it is, in words.'),
    mine: z.boolean().describe("Whether that is the caller's."),
  }),
  z.object({
    kind: z.literal('invitation'),
    consortiumId: ConsortiumId,
    siteId: SiteId,
    invitedBy: z.string(),
    invitedAt: z.number(),
    message: z.string(),
    advice: z.string(),
    turn: z.string().describe('Whose turn it is, in words.'),
    mine: z.boolean().describe("Whether that is the caller's."),
  }),
]);
export type WaitingItem = z.output<typeof WaitingItem>;
export const WaitingList = z.object({ waiting: z.array(WaitingItem) });
export type WaitingList = z.output<typeof WaitingList>;

/** A message of the stream of changes. */
export const Change = z.discriminatedUnion('type', [
  z
    .object({ type: z.literal('run'), run: RunSummary })
    .describe('A run began, or stands otherwise than before.'),
  z
    .object({
      type: z.literal('site'),
      siteId: SiteId,
      presence: z
        .enum(['here', 'away', 'unknown'])
        .optional()
        .describe('Absent where something else of the site has changed.'),
    })
    .describe('A site came or went, or somebody changed something of it.'),
  z
    .object({ type: z.literal('consortium'), consortiumId: ConsortiumId })
    .describe('Somebody changed the consortium, or one of its notices was tried.'),
  z.object({ type: z.literal('waiting') }).describe('What waits for people has changed.'),
  z
    .object({ type: z.literal('look-again') })
    .describe(
      'Where the reader was is not known any more, or it has just come: the lists are to be read now.',
    ),
]);
export type Change = z.output<typeof Change>;
