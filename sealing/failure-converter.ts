/**
 * Messages and stack traces of failures travel as a payload, which is sealed with the others; what stays in the open is
 * the type. Part of the workflow bundle, too: nothing here may differ in a replay.
 */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
