import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';
import { projectRoot } from '../support/project.ts';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...(await readdir(join(projectRoot, 'docs'), { recursive: true }))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** The targets of a page's links and images, code left out. */
function targetsOf(markdown: string): readonly string[] {
  const prose = markdown.replace(/^```.*?^```$/gms, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/** The anchors that GitHub gives the headings of a page. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const prose = markdown.replace(/^```.*?^```$/gms, '');
  const headings = [...prose.matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => text);
  const explicit = [...prose.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, id = '']) => id);
  const slug = (text: string) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
  // Of several headings alike, GitHub numbers all but the first.
  const counts = new Map<string, number>();
  const anchors = headings.map(slug).map((one) => {
    const before = counts.get(one) ?? 0;
    counts.set(one, before + 1);
    return before === 0 ? one : `${one}-${before}`;
  });
  return new Set([...anchors, ...explicit]);
}

describe('the links of the documents', () => {
  for (const page of pages) {
    it(`lead somewhere: ${page}`, async () => {
      const text = await readFile(join(projectRoot, page), 'utf8');
      for (const target of targetsOf(text)) {
        if (/^(https?|mailto):/.test(target)) continue;
        const [path = '', anchor] = target.split('#', 2);
        const file = path === '' ? page : normalize(join(dirname(page), path));
        assert.ok(existsSync(join(projectRoot, file)), `${page} links to ${target}`);
        if (anchor === undefined || !file.endsWith('.md')) continue;
        const anchors = anchorsOf(await readFile(join(projectRoot, file), 'utf8'));
        assert.ok(anchors.has(anchor), `${page} links to ${target}: no such heading`);
      }
    });
  }
});
