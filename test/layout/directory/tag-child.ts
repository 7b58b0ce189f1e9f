/** A process that tags an image again and again: `<directory> <prefix> <number of tags, or "forever">`. */
import { layoutRepository, openLayout } from '../../../src/layout/layout.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { latest } from '../layouts.ts';

const [directory = '', prefix = '', count = '0'] = process.argv.slice(2);
const registry = await openLayout({ directory });
const manifest = await registry.getManifest(layoutRepository, latest);
for (let i = 0; count === 'forever' || i < Number(count); i += 1) {
  const tag = parseTag(`${prefix}${count === 'forever' ? i % 50 : i}`);
  await registry.pushManifest(layoutRepository, manifest, { tags: [tag] });
  if (count === 'forever') await registry.deleteTag(layoutRepository, tag);
  process.stdout.write(`tagged ${i}\n`);
}
