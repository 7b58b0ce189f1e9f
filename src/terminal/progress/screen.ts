/** The part of the screen that bars or a spinner occupy. */
export interface Screen {
  /** Writes a line above it. */
  note(line: string): void;
  /** Runs a function that writes lines to the same screen directly. */
  around(write: () => void): void;
  /** Removes it from the screen. */
  close(): void;
}
