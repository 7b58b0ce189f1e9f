/** A GET of a blob that was granted. */
export interface BlobDownload {
  /** Of the blob, in bytes. */
  readonly size: number;
  /** The client's address, also if a trusted proxy is in between. */
  readonly remoteAddress: string;
}
