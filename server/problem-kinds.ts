/** The problems that the API answers with: what each is, what to do about it, and how one may sound. */
interface Kind {
  status: number;
  title: string;
  /** For whoever meets it. */
  advice: string;
  /** A detail as it may be. */
  example: string;
}

export const KINDS = {
  'invalid-request': {
    status: 400,
    title: 'The request is not of the agreed form',
    advice: 'Correct what `errors` points at; a JSON pointer says where.',
    example: 'The body is wrong: /name Too small: expected string to have >=1 characters',
  },
  unauthenticated: {
    status: 401,
    title: 'A valid access token is needed',
    advice:
      'Sign in, or send a token that is good: one that has expired or was ended is replaced by a new one.',
    example: 'The personal token is not valid, or no longer: make another one.',
  },
  forbidden: {
    status: 403,
    title: 'The access token does not allow this',
    advice: 'The detail says for whom it is: ask one of them, or have an admin give you the role.',
    example: 'This is for a lead of the consortium palmer; ada@biscoe.example is not.',
  },
  'certificate-needed': {
    status: 403,
    title: 'The certificate of a site is needed',
    advice: 'Call the address for sites, and show the certificate of the site there.',
    example: 'A certificate of a site has to be shown here.',
  },
  'certificate-refused': {
    status: 403,
    title: 'The certificate cannot be used',
    advice: 'Join the site again, with a new code of `muster site add`.',
    example: 'The certificate of biscoe is not known here. Join again, with a new code of `muster site add`.',
  },
  'certificate-expired': {
    status: 403,
    title: 'The certificate has expired',
    advice: 'Join the site again, with a new code of `muster site add`.',
    example: 'The certificate of biscoe has expired. Join again, with a new code of `muster site add`.',
  },
  'certificate-revoked': {
    status: 403,
    title: 'The certificate was revoked',
    advice: 'The site was cut off: ask why, and join again with a new code of `muster site add`.',
    example: 'The certificate of biscoe was revoked. Join again, with a new code of `muster site add`.',
  },
  'invalid-code': {
    status: 403,
    title: 'The enrolment code is not valid',
    advice: 'Look whether the whole code was copied and is of this site; else ask for a new one.',
    example:
      'The code is not one by which this site may join. Ask for a new one: `muster site add` makes it.',
  },
  'invalid-invitation': {
    status: 403,
    title: 'The invitation is not valid',
    advice: 'Ask whoever made the link for a new one.',
    example: 'The link is not good: it was used before, has run out, or was taken back. Ask for a new one.',
  },
  'password-change-needed': {
    status: 403,
    title: 'A new password has to be chosen first',
    advice: 'Sign in on the page and choose a password of your own (`changePassword`).',
    example: 'ada@biscoe.example has to choose a password of their own first.',
  },
  'unknown-consortium': {
    status: 404,
    title: 'Unknown consortium',
    advice: 'Look the id up in the list of consortia.',
    example: 'There is no consortium palmer.',
  },
  'unknown-computation': {
    status: 404,
    title: 'Unknown computation',
    advice: 'Look name and version up in the list of computations, or have an admin register it.',
    example: 'penguins 1.0.0 is not registered.',
  },
  'unknown-run': {
    status: 404,
    title: 'Unknown run',
    advice: 'Look the id up in the list of runs.',
    example: 'There is no run palmer-261128-0930-k3m9xq.',
  },
  'unknown-result': {
    status: 404,
    title: 'Unknown result',
    advice: "Take the name from the list of the run's results.",
    example: 'Run palmer-261128-0930-k3m9xq has no result "model.json".',
  },
  'unknown-kit': {
    status: 404,
    title: 'Unknown kit',
    advice: 'The launch has no kit for this node: look whether the site takes part in the run.',
    example: 'There is no kit for biscoe in launch k3m9xq2v7b4d of run palmer-261128-0930-k3m9xq.',
  },
  'unknown-node': {
    status: 404,
    title: 'Unknown node',
    advice: 'A run shows the names of its nodes: `central`, and the ids of its sites.',
    example: 'Run palmer-261128-0930-k3m9xq has no node torgersen.',
  },
  'unknown-site': {
    status: 404,
    title: 'Unknown site',
    advice: 'Look whether the id is right; a site is there once somebody has added it.',
    example: 'There is no site torgersen that you may see.',
  },
  'unknown-ask': {
    status: 404,
    title: 'The site does not ask that',
    advice: 'Nothing: the run waits there no more, or somebody at the site has answered.',
    example: 'The site biscoe does not ask that, or does so no more.',
  },
  'unknown-notice': {
    status: 404,
    title: 'Unknown notice',
    advice: "Look the id up in the consortium's list of notices.",
    example: 'The consortium palmer has no notice ward.',
  },
  'no-provider': {
    status: 404,
    title: 'There is no OpenID provider',
    advice: 'Sign in by a password.',
    example: 'One signs in here by a password alone: MUSTER_OIDC_ISSUER is not set.',
  },
  'unknown-person': {
    status: 404,
    title: 'Unknown person',
    advice: 'Look the id up in the list of people.',
    example: 'There is nobody with the id 4Q7dK2mVbX0c9LrT.',
  },
  'unknown-session': {
    status: 404,
    title: 'Unknown session',
    advice: 'Nothing: it has ended already, or was never one of yours.',
    example: 'There is no such session of yours.',
  },
  'unknown-token': {
    status: 404,
    title: 'Unknown token',
    advice: 'Nothing: it has ended already, or was never one of yours.',
    example: 'There is no such token of yours.',
  },
  'unknown-invitation': {
    status: 404,
    title: 'Unknown invitation',
    advice: 'Nothing: it was used or taken back already, or is not one of yours.',
    example: 'There is no such open invitation of yours.',
  },
  'unknown-membership': {
    status: 404,
    title: 'The site is not invited',
    advice: 'Have a lead of the consortium invite the site.',
    example: 'The site torgersen is not invited: a lead of the consortium can invite it.',
  },
  'no-log': {
    status: 404,
    title: 'There is no log here',
    advice: 'The detail says why. Where the node has not been launched yet, ask again later.',
    example: 'Run palmer-261128-0930-k3m9xq is provisioning: nothing of it was launched yet.',
  },
  'account-exists': {
    status: 409,
    title: 'There is an account already',
    advice: 'Sign in to it; then open the invitation again.',
    example: 'There is an account for ada@biscoe.example.',
  },
  'last-admin': {
    status: 409,
    title: 'Nobody else is an admin',
    advice: 'Make somebody else an admin before.',
    example: 'Nobody would be an admin any more: make somebody else one before.',
  },
  'last-lead': {
    status: 409,
    title: 'Nobody else leads the consortium',
    advice: 'Make somebody else a lead before, or have an admin do it.',
    example: 'Nobody would lead the consortium palmer any more: make somebody else a lead before.',
  },
  'computation-exists': {
    status: 409,
    title: 'The version is registered already',
    advice: 'Give the new manifest a version of its own, or ask with `replace=true`.',
    example:
      'penguins 1.0.0 is registered with another manifest: give the new one a version of its own, or replace it.',
  },
  'computation-in-use': {
    status: 409,
    title: 'The computation is in use',
    advice: 'Have the consortia that the detail names choose another version before.',
    example: 'penguins 1.0.0 is the computation of palmer.',
  },
  'consortium-exists': {
    status: 409,
    title: 'The id is taken',
    advice: 'Choose another id.',
    example: 'The id palmer is taken: choose another.',
  },
  'consortium-archived': {
    status: 409,
    title: 'The consortium is archived',
    advice: 'Take it out of the archive: change it with `archived: false`.',
    example: 'palmer is archived: take it out of the archive first.',
  },
  'consortium-incomplete': {
    status: 409,
    title: 'Something is missing for a run',
    advice: 'Do what the detail says is missing.',
    example: 'No run of palmer can be started. No site has accepted an invitation.',
  },
  'answered-at-site': {
    status: 409,
    title: 'It is answered at the site',
    advice:
      'Answer at the site, by `muster site approve` or `muster site refuse`; or have its file say `approval: page`.',
    example:
      'The site biscoe takes no answers from here: its file does not say `approval: page`. At the site, it is `muster site approve` or `muster site refuse`.',
  },
  'already-answered': {
    status: 409,
    title: 'It was answered already',
    advice: 'Nothing: the first answer stands. A run that was let in can be stopped.',
    example: 'grace@biscoe.example has approved it already, and the site is about to know.',
  },
  'membership-impossible': {
    status: 409,
    title: 'The site cannot be in the consortium in this way',
    advice:
      'The detail says what is in the way: mostly a name that another site has, or a site that takes part already.',
    example: 'The site biscoe takes part already.',
  },
  'run-complete': {
    status: 409,
    title: 'The run is complete',
    advice: 'Start a new run.',
    example: 'Run palmer-261128-0930-k3m9xq is complete: start a new run instead.',
  },
  'run-not-begun': {
    status: 409,
    title: 'The run ended before it began',
    advice: 'Start a new run.',
    example: 'Run palmer-261128-0930-k3m9xq ended before it began: start a new run.',
  },
  'retry-impossible': {
    status: 409,
    title: 'The run cannot be retried in this way now',
    advice: 'The detail says why, and mostly from where it can be retried.',
    example: 'Every site of run palmer-261128-0930-k3m9xq is complete.',
  },
  'run-ended': {
    status: 409,
    title: 'The run has ended',
    advice: 'Nothing: it is over. A run that failed or was stopped can be retried.',
    example: 'Run palmer-261128-0930-k3m9xq is stopped: there is nothing to stop.',
  },
  'run-differs': {
    status: 409,
    title: 'The run was started as another one',
    advice: 'See who can change runs in Temporal; then start a new run.',
    example:
      'The kits are not of the run palmer-261128-0930-k3m9xq as it was started: its computation is another one. Start a new run.',
  },
  'kits-differ': {
    status: 409,
    title: 'The launch has other kits',
    advice: 'Two workers made kits for one launch: start a new run.',
    example:
      'Launch k3m9xq2v7b4d of run palmer-261128-0930-k3m9xq has other kits, or keys that cannot be read any more.',
  },
  'launch-superseded': {
    status: 409,
    title: 'The launch is no longer the current one',
    advice: 'Nothing: what belongs to the older launch is to be stopped.',
    example: 'Launch k3m9xq2v7b4d of run palmer-261128-0930-k3m9xq was followed by p8w2rt6z9c5h.',
  },
  'no-enrolment': {
    status: 409,
    title: 'No site can join here',
    advice: 'The operator sets MUSTER_SITE_API_URL, and starts the API anew.',
    example: 'This API has no address for sites: set MUSTER_SITE_API_URL where it is started.',
  },
  'too-many-notices': {
    status: 409,
    title: 'There are too many notices',
    advice: 'Remove one that nobody needs.',
    example: 'A consortium has at most 20 notices.',
  },
  'code-used': {
    status: 410,
    title: 'The enrolment code was used before',
    advice: 'Ask for a new one. If nobody at the site has used it, say so: the site should be cut off.',
    example: 'The code of biscoe was used before. Ask for a new one: `muster site add` makes it.',
  },
  'code-expired': {
    status: 410,
    title: 'The enrolment code has expired',
    advice: 'Ask for a new one: `muster site add` makes it.',
    example: 'The code of biscoe has expired. Ask for a new one: `muster site add` makes it.',
  },
  'changed-meanwhile': {
    status: 412,
    title: 'It was changed meanwhile',
    advice: 'Read it again, and decide whether the change is still wanted.',
    example: 'palmer was changed meanwhile: look at it again.',
  },
  'invalid-certificate-request': {
    status: 422,
    title: 'The certificate request cannot be used',
    advice: 'Send a PKCS#10 request of an ECDSA key on P-256, as `muster site join` does.',
    example: 'The request is not signed by its key.',
  },
  'invalid-computation': {
    status: 422,
    title: 'The computation cannot be used',
    advice: 'Correct the schema of its parameters, and register it again.',
    example:
      'The schema of the parameters is not a usable JSON Schema: schema is invalid: data/type must be equal to one of the allowed values',
  },
  'image-unavailable': {
    status: 422,
    title: 'The image cannot be had',
    advice: 'See whether its name is right, and whether the central host may pull it.',
    example: 'There is no image registry.example.org/penguins:1.0.0.',
  },
  'invalid-log': {
    status: 422,
    title: 'The part of a log cannot be used',
    advice: 'Send whole gzip members of the log, from where the API says.',
    example: 'It is not a part of a log in gzip: incorrect header check.',
  },
  'unreadable-payload': {
    status: 422,
    title: 'The payload cannot be opened',
    advice: 'Add the key that sealed it to MUSTER_PAYLOAD_KEYS, after the first.',
    example: 'The payload was sealed by a key that is not known here.',
  },
  'invalid-parameters': {
    status: 422,
    title: 'The parameters do not fit the computation',
    advice: 'Correct what `errors` points at; the computation shows the schema of its parameters.',
    example: 'The parameters do not fit penguins: /parameters/rounds must be <= 100',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The Idempotency-Key belongs to another request',
    advice: 'Use a new key for a new run.',
    example:
      'The Idempotency-Key started run palmer-261128-0930-k3m9xq with other parameters: use a new key for a new run.',
  },
  'precondition-needed': {
    status: 428,
    title: 'It has to be said what is changed',
    advice: 'Read it, and send its ETag as `If-Match`; `*` for whatever it is.',
    example: 'Send as If-Match the ETag of what is to be changed.',
  },
  'too-many-requests': {
    status: 429,
    title: 'Too many requests',
    advice: 'Wait for as long as the detail says.',
    example: 'Too many tries: the next is looked at in 6 s.',
  },
  'temporal-refused': {
    status: 502,
    title: 'Temporal refused the request',
    advice: 'The operator looks at Temporal: the detail is its word.',
    example: 'Temporal has no namespace muster.',
  },
  'temporal-unreachable': {
    status: 503,
    title: 'Temporal cannot be reached',
    advice: 'Ask again. If it stays so, the operator looks at Temporal.',
    example: 'Temporal does not answer (No connection established). Try again.',
  },
  'provider-unreachable': {
    status: 503,
    title: 'The OpenID provider cannot be reached',
    advice: 'Try again; the log of the API says what the provider answered.',
    example: 'The hospital does not answer.',
  },
  'database-unreachable': {
    status: 503,
    title: 'The database cannot be reached',
    advice: 'Ask again. If it stays so, the operator looks at the database.',
    example: 'The database does not answer.',
  },
  'object-store-unreachable': {
    status: 503,
    title: 'The object store cannot be reached',
    advice: 'Ask again. If it stays so, the operator looks at the object store.',
    example: 'The object store does not answer.',
  },
  'run-unreported': {
    status: 503,
    title: 'The run has not reported yet',
    advice: 'Ask again in a moment.',
    example: 'Nothing is known here of run palmer-261128-0930-k3m9xq yet: ask again in a moment.',
  },
  'image-pending': {
    status: 503,
    title: 'The image is still being pulled',
    advice: 'Ask again until it is there.',
    example: 'registry.example.org/penguins:1.0.0 is being pulled. Ask again.',
  },
  'key-missing': {
    status: 503,
    title: 'A key is missing',
    advice: 'The operator adds the key that sealed it to MUSTER_PAYLOAD_KEYS again, after the first.',
    example:
      'The parameters of consortium palmer were sealed by a key that MUSTER_PAYLOAD_KEYS no longer lists.',
  },
  'no-central-worker': {
    status: 503,
    title: 'No central worker answers',
    advice: 'Start a central worker, and ask again.',
    example: 'Only a central worker can look the image up: start one, and ask again.',
  },
  'not-ready': {
    status: 503,
    title: 'Not ready',
    advice: 'The detail says what does not answer; the log of the API says why.',
    example: 'No answer from: temporal. The log says why.',
  },
} as const satisfies Readonly<Record<string, Kind>>;

export type ProblemKind = keyof typeof KINDS;
export const PROBLEM_KINDS = Object.keys(KINDS).filter((name): name is ProblemKind => name in KINDS);
