/** Console blocks of a Markdown page: `$ command`, followed by its output. */

export interface Shown {
  readonly command: string;
  /** The output without the last line break. `…` matches any text; alone on a line, any lines. */
  readonly output: string;
}

export function consoleBlocks(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^```console\n(.*?)^```$/gms)].map(([, block = '']) => block);
}

/** A command may continue in the next line after a backslash, as in a shell. */
export function commandsOf(block: string): readonly Shown[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = ''] = /^(?:.*\\\n)*.*/.exec(part) ?? [];
      return { command, output: part.slice(command.length + 1).trimEnd() };
    });
}

/** @param flags With `m`, a part of the output may match. */
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
