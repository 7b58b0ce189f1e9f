import type { NotationEnvelope } from '../notation/envelope.ts';

/** What every format of signatures comes down to. */
export interface SignedBytes {
  /** Those that the signature is made of: for an envelope, with the type of its payload. */
  readonly bytes: Uint8Array;
  /** What is said by them: for an envelope, without that type. Logs name its digest. */
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  readonly evidence: Evidence;
}

/** What came with a signature, to show whose it is and when it was made: read by the authorities that need it. */
export type Evidence =
  | { readonly kind: 'layer'; readonly annotations: Readonly<Record<string, string>> }
  | { readonly kind: 'notation'; readonly envelope: NotationEnvelope }
  | { readonly kind: 'bundle'; readonly document: Readonly<Record<string, unknown>> };
