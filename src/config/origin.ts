/** Where a setting was set, so that errors, warnings and `doctor` can name the place to change. */
export interface Origin {
  /** What set it. */
  readonly kind: 'flag' | 'environment' | 'file' | 'option' | 'default';
  /** A flag (`--registry-mirror`), a variable (`DOCKER_CONFIG`), a file's path, an option, or the reason for a default. */
  readonly name: string;
  /** Line in the file, from 1. */
  readonly line?: number;
  /** Column in that line, from 1, if errors of the file have one. */
  readonly column?: number;
}

/** A value together with where it was set. */
export interface Sourced<T> {
  /** The setting. */
  readonly value: T;
  /** Where it was set. */
  readonly origin: Origin;
}

/** `--registry-mirror`, `DOCKER_CONFIG`, `/etc/docker/daemon.json:3`. */
export function formatOrigin({ name, line, column }: Origin): string {
  return [name, line, column].filter((part) => part !== undefined).join(':');
}
