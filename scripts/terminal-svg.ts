/** Screens of a terminal, as `tmux capture-pane -e` prints them, drawn as an SVG that moves through them. */

export interface Frame {
  /** Lines with SGR sequences (ECMA-48, 8.3.117). */
  readonly screen: string;
  /** When it was first seen. */
  readonly atMs: number;
}

export interface Screen {
  readonly columns: number;
  readonly rows: number;
}

const character = { width: 8.4, height: 18 };
const margin = 14;
const background = '#16181d';
const foreground = '#d7dae0';
/** The eight colours of ECMA-48, then their bright ones. */
const palette = ['#3b4048', '#e06c75', '#8cc570', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#d7dae0'];
const bright = ['#7f848e', '#ef8b93', '#a6d98c', '#f0d399', '#83c4f7', '#d79ae8', '#7ccdd6', '#ffffff'];
/** How long the last screen stays before the first comes again. */
const restMs = 4_000;

interface Style {
  readonly colour?: string;
  readonly bold?: boolean;
  readonly dim?: boolean;
}

/** An SVG with an animation in CSS, which is shown also where an image may run no script. */
export function terminalSvg(frames: readonly Frame[], { columns, rows }: Screen, title: string): string {
  const [width, height] = [columns * character.width + 2 * margin, rows * character.height + 2 * margin];
  const start = frames[0]?.atMs ?? 0;
  const total = (frames.at(-1)?.atMs ?? 0) - start + restMs;
  const percent = (ms: number): string => ((100 * ms) / total).toFixed(2);
  const steps = frames.map(({ atMs }, i) => {
    const [from, to] = [percent(atMs - start), percent((frames[i + 1]?.atMs ?? start + total) - start)];
    // Shown from its time on, until the next one covers it.
    return `@keyframes f${i}{0%{visibility:hidden}${from}%{visibility:visible}${to}%,100%{visibility:hidden}}`;
  });
  const last = frames.length - 1;
  const groups = frames.map(({ screen }, i) => {
    const style = `animation:f${i} ${(total / 1_000).toFixed(2)}s step-end infinite`;
    // Without animations the last screen is seen.
    return `<g style="${style}"${i === last ? '' : ' visibility="hidden"'}>${drawn(screen)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.ceil(width)}" height="${height}" viewBox="0 0 ${Math.ceil(width)} ${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:${foreground}}${steps.join('')}</style>`,
    `<rect width="100%" height="100%" rx="8" fill="${background}"/>`,
    ...groups,
    '</svg>\n',
  ].join('\n');
}

function drawn(screen: string): string {
  const lines = screen.replace(/\n+$/, '').split('\n');
  let style: Style = {};
  return lines
    .map((line, row) => {
      const spans: string[] = [];
      let column = 0;
      // biome-ignore lint/suspicious/noControlCharactersInRegex: SGR sequences begin with ESC
      for (const [, codes, text] of line.matchAll(/\u001b\[([0-9;]*)m|([^\u001b]+)/g)) {
        if (text === undefined) style = styled(style, codes ?? '');
        else {
          // Not all viewers keep several blanks, so each run of words has its own place.
          for (const [words] of text.matchAll(/\S+(?: \S+)*|\s+/g)) {
            if (words.trim() !== '') spans.push(span(words, column, style));
            column += [...words].length;
          }
        }
      }
      const y = margin + (row + 0.75) * character.height;
      return spans.length === 0 ? '' : `<text y="${y}">${spans.join('')}</text>`;
    })
    .join('');
}

function span(text: string, column: number, { colour, bold, dim }: Style): string {
  const attributes = [
    `x="${(margin + column * character.width).toFixed(1)}"`,
    `textLength="${([...text].length * character.width).toFixed(1)}"`,
    ...(colour === undefined ? [] : [`fill="${colour}"`]),
    ...(bold ? ['font-weight="bold"'] : []),
    ...(dim ? ['opacity="0.6"'] : []),
  ];
  return `<tspan ${attributes.join(' ')}>${escaped(text)}</tspan>`;
}

function styled(style: Style, codes: string): Style {
  let next = style;
  for (const code of (codes === '' ? '0' : codes).split(';').map(Number)) {
    if (code === 0) next = {};
    else if (code === 1) next = { ...next, bold: true };
    else if (code === 2) next = { ...next, dim: true };
    else if (code === 22) next = { ...next, bold: false, dim: false };
    else if (code >= 30 && code <= 37) next = { ...next, colour: palette[code - 30] ?? foreground };
    else if (code >= 90 && code <= 97) next = { ...next, colour: bright[code - 90] ?? foreground };
    else if (code === 39) next = { ...next, colour: foreground };
  }
  return next;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
