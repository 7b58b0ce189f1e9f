import type { Authorizer } from '../auth/contract.ts';
import type { HostRecord } from '../host-facts/host-facts.ts';
import type { Transport } from '../transport/transport.ts';
import type { UploadJournal } from './upload/journal.ts';

export interface RemoteOptions {
  /** Name of the registry in messages: host[:port], or docker.io. */
  readonly name: string;
  readonly transport: Transport;
  readonly authorizer: Authorizer;
  /** What was learned of the registry's host. Default: nothing is known, and nothing is kept. */
  readonly facts?: HostRecord | undefined;
  /** The registry for which a mirror is used, sent as `?ns=`, if the mirror needs that. */
  readonly nsQuery?: string | undefined;
  /** The purpose: a refused read before a push is not reported as a denied pull. Default: reading. */
  readonly intent?: 'pull' | 'push' | undefined;
  /** Where unfinished uploads are kept for later runs. Default: nowhere. */
  readonly uploadJournal?: UploadJournal | undefined;
  /** Size of an upload's chunks, if it has to be split. Default 8 MiB. */
  readonly uploadChunkBytes?: number | undefined;
  /** In bytes; default 4 MiB. */
  readonly maxManifestBytes?: number | undefined;
  /** Called once for each text with which the registry warns. */
  readonly onWarning?: ((text: string) => void) | undefined;
}
