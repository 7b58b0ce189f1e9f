/** What bars or a spinner own of the screen. */
export interface Screen {
  /** Leaves a line above. */
  note(line: string): void;
  /** Runs what writes lines to the same screen in another way. */
  around(write: () => void): void;
  /** Takes itself off the screen. */
  close(): void;
}
