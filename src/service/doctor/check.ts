import { isOciError, type OciError } from '../../model/errors.ts';

/** One result of `ocictl doctor`. */
export interface Check {
  /** What it is about: the second column of `ocictl doctor`. */
  readonly topic: CheckTopic;
  /** The endpoint that it is about, named as in messages. */
  readonly endpoint?: string;
  /** `problem`: this does not work, though another endpoint may; `warning`: it works, but not as the user would want. */
  readonly status: 'ok' | 'note' | 'warning' | 'problem';
  /** One line for people, without secrets. */
  readonly text: string;
  /** What to do. */
  readonly advice?: string | undefined;
  /** The error that it failed with. */
  readonly error?: OciError | undefined;
  /** The same as `text`, for programs. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** What a check is about. */
export type CheckTopic =
  | 'reference'
  | 'settings'
  | 'store'
  | 'endpoint'
  | 'certificates'
  | 'credentials'
  | 'proxy'
  | 'tls'
  | 'learned'
  | 'ping'
  | 'clock'
  | 'image'
  | 'rate limit'
  | 'policy'
  | 'pull'
  | 'program';

/** A check that failed with an error: its message and its hint. */
export function problem(topic: CheckTopic, error: unknown, endpoint?: string): Check {
  if (!isOciError(error)) throw error;
  const { message: text, hint: advice } = error;
  return { topic, status: 'problem', text, advice, error, ...(endpoint !== undefined && { endpoint }) };
}
