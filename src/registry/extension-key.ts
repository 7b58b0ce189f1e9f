/** Identifies a capability and carries its type. Compared by identity. */
export interface ExtensionKey<T> {
  /** For messages. */
  readonly name: string;
  /** Never set; it only carries the type. */
  readonly type?: T;
}

/** A new capability. */
export function extensionKey<T>(name: string): ExtensionKey<T> {
  return Object.freeze({ name });
}
