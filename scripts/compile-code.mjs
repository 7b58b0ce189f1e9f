// Run by the Node of the single file: runs the bundled command line, and writes down the code that V8 has compiled meanwhile.
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import v8 from 'node:v8';
import vm from 'node:vm';

const [, , file, output] = process.argv;

// V8 takes code only where its flags are those that the code was written down with: nobody may change them meanwhile.
v8.setFlagsFromString = () => {};
process.env.HOME = tmpdir();
process.env.DOCKER_CONFIG = process.env.OCICTL_ROOT = `${tmpdir()}/ocictl-nothing-here`;

const script = new vm.Script(readFileSync(file, 'latin1'), { filename: 'ocictl/cli.js' });
const module = { exports: {} };
script.runInThisContext()(process.getBuiltinModule, module, module.exports);
// Nothing listens on port 9 of this machine. What a request needs has been compiled by the time that this is known.
for (const words of [['pull', '--help'], ['version'], ['digest', '127.0.0.1:9/team/app:1']]) {
  await module.exports.run(words);
}
writeFileSync(output, script.createCachedData());
