import { OciError } from '../model/errors.ts';
import { changeImage } from './changing/change-image.ts';
import { changingHelp, parsePlatforms, platformsOption, resultOptions } from './changing/options.ts';
import { defineCommand, flag, value, values } from './command-line/command.ts';
import { platformWords } from './command-line/options.ts';

const once = (name: string, what: string) => flag(`--unset-${name}`, `Remove ${what}`);
const each = (name: string, what: string, label = 'key') =>
  values(`--unset-${name} <${label}>`, `Remove ${what}; may be repeated`);

export const mutate = defineCommand({
  name: 'mutate',
  summary: "Change an image's config and annotations",
  description:
    `${changingHelp}\n\n` +
    'Nothing but config and manifest is made anew; fields that are not named keep their bytes. A change that changes nothing\n' +
    'gives the same digest. An entrypoint or command is a JSON array or words as in a shell, where nothing is expanded:\n' +
    `--cmd '["sh","-c","date"]' or --cmd "sh -c date". A new entrypoint removes the command, as in a Dockerfile.\n\n` +
    'Annotations are those of the image manifest; ocictl index annotate is for those of an index.',
  arguments: [{ label: 'REF', summary: 'The image', arity: 'one', completes: 'image', storeToo: true }],
  options: {
    ...resultOptions,
    platform: platformsOption,
    entrypoint: value('--entrypoint <words>', 'What runs: a JSON array, or words as in a shell'),
    unsetEntrypoint: once('entrypoint', 'it'),
    cmd: value('--cmd <words>', 'Arguments of the entrypoint, or the command, likewise'),
    unsetCmd: once('cmd', 'them'),
    env: values('-e, --env <key=value>', 'A variable; may be repeated'),
    unsetEnv: each('env', 'this variable'),
    user: value('--user <user[:group]>', 'Who it runs as'),
    unsetUser: once('user', 'that'),
    workdir: value('-w, --workdir <path>', 'Where it runs'),
    unsetWorkdir: once('workdir', 'that'),
    label: values('--label <key=value>', 'A label; may be repeated'),
    unsetLabel: each('label', 'this label'),
    annotation: values('-a, --annotation <key=value>', 'An annotation of the image; may be repeated'),
    unsetAnnotation: each('annotation', 'this annotation'),
    expose: values('--expose <port[/protocol]>', 'A port that it listens on; may be repeated'),
    unsetExpose: each('expose', 'this port', 'port[/protocol]'),
    volume: values('--volume <path>', 'A path that is a volume; may be repeated'),
    unsetVolume: each('volume', 'this path', 'path'),
    stopSignal: value('--stop-signal <signal>', 'What stops it, as SIGTERM'),
    unsetStopSignal: once('stop-signal', 'that'),
    created: value(
      '--created <time>',
      'When it was made: RFC 3339, seconds since 1970, or now ($SOURCE_DATE_EPOCH if set)',
    ),
    unsetCreated: once('created', 'that'),
    author: value('--author <name>', 'Who made it'),
    unsetAuthor: once('author', 'that'),
    setPlatform: value('--set-platform <os/arch>', 'What it is for, in its config and its index', {
      choices: platformWords,
    }),
  },
  examples: [
    {
      text: 'Another command and a label, under a new tag',
      command:
        'mutate registry.example.com/team/app:1 -t registry.example.com/team/app:1-debug --cmd \'["app","--debug"]\' --label debug=yes',
    },
    {
      text: 'For all platforms of an index, moving the tag',
      command: 'mutate registry.example.com/team/app:1 -t registry.example.com/team/app:1 --user 65532:65532',
    },
    {
      text: 'One platform, in a layout',
      command: 'mutate oci:app:1 -t oci:app:2 --platform linux/arm64 --env GOGC=50 --unset-env DEBUG',
    },
  ],
  async run({ words: [word = ''], options }, context) {
    const [{ readMutation }, { mutateDraft }] = await Promise.all([
      import('./mutate/mutation.ts'),
      import('../edit/mutate.ts'),
    ]);
    const mutation = readMutation(options, () => context.sourceDate() ?? new Date());
    const platforms = parsePlatforms(options.platform);
    let images = 0;
    await changeImage(
      {
        word,
        platforms,
        edit(draft) {
          images += 1;
          if (mutation.platform && images > 1) throw severalPlatforms();
          mutateDraft(draft, mutation);
        },
      },
      options,
      context,
    );
  },
});

function severalPlatforms(): OciError {
  return new OciError('USAGE', '--set-platform is for one image, and several would get this platform', {
    hint: 'choose one with --platform',
  });
}
