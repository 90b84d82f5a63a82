/** sendEmail: sends a notice as a mail in plain text. */
import nodemailer from 'nodemailer';
import { z } from 'zod';
import { NO_MAIL_SERVER } from '../../workflows/notice-contract';
import type { DeliveryRef, NoticeResult } from '../../workflows/notice-delivery';
import { deliver, NoticeRefused, NoticeUnheard, type DeliveryApi } from './delivery';

export interface MailSettings {
  /** smtp: or smtps:, with user and password if need be. */
  url: string;
  from: string;
}

const PATIENCE = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000 };

/** As much as is read of what a mail server says. */
const SmtpError = z.object({ responseCode: z.int().optional(), command: z.string().optional() });

export function createSendEmail(api: DeliveryApi, mail: MailSettings | undefined) {
  return async function sendEmail({ deliveryId }: DeliveryRef): Promise<NoticeResult> {
    return deliver(api, deliveryId, 'email', async ({ to, subject, text }) => {
      if (mail === undefined) throw new NoticeUnheard(NO_MAIL_SERVER);
      const transport = nodemailer.createTransport({ url: mail.url, ...PATIENCE });
      try {
        await transport.sendMail({
          ...{ from: mail.from, to, subject, text },
          // The same for every attempt, so that a mailbox may tell that it has it. Nobody is to answer a machine's mail.
          messageId: `<${deliveryId}@muster.invalid>`,
          headers: { 'Auto-Submitted': 'auto-generated' },
          disableFileAccess: true,
          disableUrlAccess: true,
        });
      } catch (error) {
        throw asProblem(error);
      } finally {
        transport.close();
      }
    });
  };
}

/** A server that does not take this mail says so once it knows whom it is for; all before that is between it and the operator. */
function asProblem(error: unknown): Error {
  const said = error instanceof Error ? error.message : String(error);
  const { responseCode = 0, command = '' } = SmtpError.safeParse(error).data ?? {};
  const isAboutMail = command === 'RCPT TO' || command === 'DATA';
  if (responseCode >= 500 && isAboutMail) return new NoticeRefused(`The mail server refused it: ${said}`);
  return new NoticeUnheard(`The mail server did not take it: ${said}`);
}
