import { formatJson } from '../terminal/json.ts';
import { defineCommand } from './command-line/command.ts';
import { jsonOption } from './command-line/options.ts';

export const version = defineCommand({
  name: 'version',
  summary: 'Show the version of ocictl and of what it runs on',
  description: 'ocictl --version prints the number alone.',
  arguments: [],
  options: { json: jsonOption },
  examples: [{ text: 'For a bug report', command: 'version' }],
  async run({ options }, { terminal, facts, storeRoot }) {
    const store = await storeRoot();
    if (options.json) {
      await terminal.out(`${formatJson({ ...facts, store: store ?? null })}\n`);
      return;
    }
    await terminal.out(
      `ocictl ${facts.version}\nnode ${facts.node}\nplatform ${facts.platform}\nstore ${store ?? 'nowhere: name a directory with $OCICTL_ROOT'}\n`,
    );
  },
});
