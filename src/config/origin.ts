/** Where a setting came from, so that an error, a warning or `doctor` can name the place to change. */
export interface Origin {
  readonly kind: 'flag' | 'environment' | 'file' | 'option' | 'default';
  /** `--registry-mirror`, `DOCKER_CONFIG`, a file's path, a program's option, or what the default rests on. */
  readonly name: string;
  /** Line in the file, from 1. */
  readonly line?: number;
  /** Column in that line, from 1, where a file's errors tell it. */
  readonly column?: number;
}

/** A value together with where it was set. */
export interface Sourced<T> {
  readonly value: T;
  readonly origin: Origin;
}

/** `--registry-mirror`, `DOCKER_CONFIG`, `/etc/docker/daemon.json:3`. */
export function formatOrigin({ name, line, column }: Origin): string {
  return [name, line, column].filter((part) => part !== undefined).join(':');
}
