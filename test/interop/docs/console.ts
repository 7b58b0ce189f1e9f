/** Console blocks of a Markdown page: `$ command`, and below it what it prints. */

export interface Shown {
  readonly command: string;
  /** What is printed, without the last line break. `…` stands for any text; alone on a line, for any lines. */
  readonly output: string;
}

export function consoleBlocks(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^```console\n(.*?)^```$/gms)].map(([, block = '']) => block);
}

/** A command may go on in the next line, as in a shell: after a backslash. */
export function commandsOf(block: string): readonly Shown[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = ''] = /^(?:.*\\\n)*.*/.exec(part) ?? [];
      return { command, output: part.slice(command.length + 1).trimEnd() };
    });
}

/** @param flags With `m` a part of what is printed is enough. */
export function patternOf(output: string, flags = ''): RegExp {
  const lines = output.split('\n').map((line) => {
    if (line === '…') return '[^]*?';
    return line
      .split('…')
      .map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*');
  });
  return new RegExp(`^${lines.join('\n')}$`, flags);
}
