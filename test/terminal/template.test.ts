import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ErrorCode, isOciError } from '../../src/model/errors.ts';
import { hiddenCharacter } from '../../src/model/quote.ts';
import { parseRowFormat, parseTemplate } from '../../src/terminal/template.ts';

const image = {
  Name: 'docker.io/library/alpine',
  Digest: 'sha256:abc',
  Size: 4096,
  Official: true,
  Env: ['PATH=/bin', 'A=1'],
  Labels: new Map([
    ['org.example.version', '1.2'],
    ['maintainer', 'ann'],
    ['10', 'ten'],
    ['9', 'nine'],
  ]),
  Layers: [
    { Digest: 'sha256:1', Size: 10 },
    { Digest: 'sha256:2', Size: 20 },
  ],
  Nothing: null,
  Empty: [],
  Config: { User: 'root', Cmd: ['sh', '-c'] },
};

const render = (template: string, data: unknown = image): string => parseTemplate(template).render(data);

describe('a template', () => {
  const cases: readonly (readonly [title: string, template: string, text: string])[] = [
    ['prints a field', '{{.Digest}}', 'sha256:abc'],
    ['prints text around it', 'a {{ .Name }} b', 'a docker.io/library/alpine b'],
    ['prints numbers and booleans', '{{.Size}} {{.Official}} {{1.5}} {{true}}', '4096 true 1.5 true'],
    ['goes down a path of fields', '{{.Config.User}}', 'root'],
    ['prints lists, maps and records as Go does', '{{.Env}} {{.Config}}', '[PATH=/bin A=1] {root [sh -c]}'],
    ['sorts the keys of a map', '{{.Labels}}', 'map[10:ten 9:nine maintainer:ann org.example.version:1.2]'],
    [
      'prints <no value> for what is not there',
      '{{.Nothing}} {{.Labels.missing}} {{.Nothing.x.y}}',
      '<no value> <no value> <no value>',
    ],
    ['takes \\t and \\n outside actions for a tab and a line end', '{{.Size}}\\t{{.Size}}\\n', '4096\t4096'],
    ['leaves \\n inside a string to the string', '{{join .Env "\\n"}}', 'PATH=/bin\nA=1'],
    ['has raw strings', '{{`a "b" \\n`}}', 'a "b" \\n'],
    ['prints as JSON', '{{json .Env}} {{json .Nothing}} {{json "<é>"}}', '["PATH=/bin","A=1"] null "<é>"'],
    [
      'prints a map as JSON by key',
      '{{json .Labels}}',
      '{"10":"ten","9":"nine","maintainer":"ann","org.example.version":"1.2"}',
    ],
    [
      'prints all as JSON',
      '{{json .}}',
      JSON.stringify({ ...image, Labels: undefined }).replace(
        '"Layers"',
        '"Labels":{"10":"ten","9":"nine","maintainer":"ann","org.example.version":"1.2"},"Layers"',
      ),
    ],
    ['ranges over a list', '{{range .Layers}}{{.Digest}};{{end}}', 'sha256:1;sha256:2;'],
    ['ranges over a map by key', '{{range .Labels}}{{.}},{{end}}', 'ten,nine,ann,1.2,'],
    [
      'ranges with index and key',
      '{{range $i, $e := .Env}}{{$i}}={{$e}} {{end}}{{range $k, $v := .Labels}}{{$k}}:{{$v}} {{end}}',
      '0=PATH=/bin 1=A=1 10:ten 9:nine maintainer:ann org.example.version:1.2 ',
    ],
    [
      'takes the else of an empty range',
      '{{range .Empty}}x{{else}}none{{end}}{{range .Nothing}}x{{else}} none{{end}}',
      'none none',
    ],
    ['reaches the whole data with $', '{{range .Layers}}{{$.Size}} {{end}}', '4096 4096 '],
    ['decides by if, else if and else', '{{if .Nothing}}a{{else if .Empty}}b{{else if .Env}}c{{else}}d{{end}}', 'c'],
    [
      'moves the dot by with',
      '{{with .Config}}{{.User}}{{end}}{{with .Nothing}}x{{else}} {{.Size}}{{end}}',
      'root 4096',
    ],
    ['sets variables, also from inside a block', '{{$n := 0}}{{range .Layers}}{{$n = .Size}}{{end}}{{$n}}', '20'],
    ['keeps a variable of a block to the block', '{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}', '21'],
    ['reads a label by index', '{{index .Labels "org.example.version"}}', '1.2'],
    ['reads an absent label as nothing', '[{{index .Labels "no"}}{{index .Nothing "no"}}]', '[]'],
    [
      'reads lists by index, and deeper',
      '{{index .Env 1}} {{(index .Layers 0).Digest}} {{index .Config.Cmd 1}}',
      'A=1 sha256:1 -c',
    ],
    ['counts', '{{len .Env}} {{len .Labels}} {{len "é"}} {{len .Nothing}}', '2 4 2 0'],
    ['pipes', '{{.Name | upper | printf "%s!"}} {{.Env | len}}', 'DOCKER.IO/LIBRARY/ALPINE! 2'],
    [
      'joins and splits',
      '{{join .Env ", "}} {{json (split .Name "/")}} {{join .Nothing ","}}',
      'PATH=/bin, A=1 ["docker.io","library","alpine"] ',
    ],
    ['changes case', '{{lower "ABC"}} {{upper "abc"}} {{title "ab cd"}}', 'abc ABC Ab Cd'],
    ['cuts and pads', '{{truncate .Digest 6}}[{{pad "a" 1 2}}]', 'sha256[ a  ]'],
    [
      'formats',
      '{{printf "%-4s|%4d|%04d|%.1f|%q|%v|%t|%%|%.2s" "a" 7 7 1.25 "q" .Env true "abc"}}',
      'a   |   7|0007|1.3|"q"|[PATH=/bin A=1]|true|%|ab',
    ],
    ['prints by function', '{{print "a" 1}}{{println "b" 2}}', 'a1b 2'],
    [
      'compares',
      '{{eq 1 2 1}} {{ne "a" "b"}} {{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge "b" "a"}} {{eq .Nothing nil}}',
      'true true true true false true true',
    ],
    ['knows and, or, not', '{{and 1 0}} {{or "" "x"}} {{not .Empty}} {{and true "y"}} {{or 0 ""}}', '0 x true y '],
    ['trims white space beside a dash', 'a  {{- "b" -}}  c {{- /* d */ -}}  e', 'abce'],
    ['does not trim for a negative number', 'a {{-1}}', 'a -1'],
    ['leaves comments out', 'a{{/* {{.Foo}} */}}b', 'ab'],
    ['may go over lines', '{{range\n  .Env}}{{.}} {{end}}', 'PATH=/bin A=1 '],
  ];
  for (const [title, template, text] of cases) {
    it(title, () => assert.equal(render(template), text.endsWith('\n') ? text : `${text}\n`));
  }

  it('adds one line end if there is none', () => {
    assert.equal(render('x\\n'), 'x\n');
    assert.equal(render(''), '\n');
  });

  it('sees no property that the data does not have of its own', () => {
    assert.equal(render('{{.Labels.constructor}} {{index .Labels "size"}}'), '<no value> \n');
    assert.throws(() => render('{{.Config.constructor}}'), /no field \.constructor/);
    assert.throws(() => render('{{.Env.length}}'), /a list has no field/);
    assert.throws(() => render('{{index .Config "__proto__"}}'), /no field/);
  });
});

describe('a template that is wrong', () => {
  const cases: readonly (readonly [template: string, message: RegExp, hint?: RegExp])[] = [
    ['{{.Digset}}', /character 3: there is no field \.Digset/, /\.Name, \.Digest, .*\.Config/],
    ['ab {{.Config.Usr}}', /character 13: there is no field \.Usr/, /\.User, \.Cmd/],
    ['{{foo .Name}}', /there is no function foo/, /json/],
    ['{{range .Env}}x', /character 3: range is not closed by \{\{end\}\}/],
    ['x{{end}}', /end without an if/],
    ['{{if .Env}}{{else}}{{else}}{{end}}', /if is not closed/],
    ['{{.Name', /not closed by \}\}/],
    ['{{"a}}', /the string is not closed/],
    ['{{`a}}', /the string is not closed/],
    ['{{"\\q"}}', /escape/],
    ['{{/* a }}', /comment is not closed/],
    ['{{}}', /the action is empty/],
    ['{{.Name .Size}}', /only a function takes arguments/],
    ['{{.Name | .Size}}', /only a function can follow \|/],
    ['{{(.Name}}', /parenthesis is not closed/],
    ['{{.Name)}}', /unexpected "\)"/],
    ['{{.Name |}}', /a value is missing/],
    ['{{$x}}', /\$x is not set/],
    ['{{. = 1}}', /only a variable/],
    ['{{$a, $b := .Env}}', /two variables can be set by range alone/],
    ['{{join .Env}}', /join takes 2 arguments, not 1/],
    ['{{join .Name ","}}', /a list is needed, this is a string/],
    ['{{index .Env 2}}', /there is no item 2/],
    ['{{index .Env "a"}}', /a whole number is needed/],
    ['{{upper .Size}}', /a string is needed, this is a number/],
    ['{{lt 1 "a"}}', /have no order/],
    ['{{eq .Env 1}}', /cannot be compared/],
    ['{{range .Name}}{{end}}', /range needs a list or a map/],
    ['{{printf "%x" 1}}', /printf does not know %x/],
    ['{{printf "%s"}}', /no argument for %s/],
    ['{{printf "a" 1}}', /arguments too many/],
    ['{{printf "%999999999s" "a"}}', /more than 4096 spaces/],
    ['{{pad "a" 999999999 0}}', /more than 4096 spaces/],
    ['{{template "x"}}', /template is not supported/],
    ['{{.Name ~}}', /unexpected "~"/],
    ['{{1.2.3}}', /unexpected/],
  ];
  for (const [template, message, hint] of cases) {
    it(`is refused with the place: ${template}`, () => {
      assert.throws(
        () => render(template),
        (error) => {
          assert.ok(isOciError(error, 'USAGE' satisfies ErrorCode), String(error));
          assert.match(error.message, /^template, character \d+: /);
          assert.match(error.message, message);
          if (hint) assert.match(error.hint ?? '', hint);
          return true;
        },
      );
    });
  }
});

describe('rows by a format', () => {
  const rows = [
    { Name: 'alpine', StarCount: '11000' },
    { Name: 'a/longer-name', StarCount: '3' },
  ];
  const headings = { Name: 'NAME', StarCount: 'STARS' };

  it('are an object a line for json', async () => {
    assert.equal(await parseRowFormat('json', headings)(rows), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  });

  it('are a template each', async () => {
    assert.equal(
      await parseRowFormat('{{.Name}}: {{.StarCount}}', headings)(rows),
      'alpine: 11000\na/longer-name: 3\n',
    );
  });

  it('are aligned below their headings for table', async () => {
    assert.equal(
      await parseRowFormat('table {{.Name}}\\t{{.StarCount}}', headings)(rows),
      'NAME            STARS\nalpine          11000\na/longer-name   3\n',
    );
  });

  it('print nothing for an empty list, but the template is still checked', async () => {
    assert.equal(await parseRowFormat('{{.Name}}', headings)([]), '');
    assert.throws(() => parseRowFormat('{{.Name', headings), /not closed/);
  });
});

describe('quotes in the error of a template', () => {
  const hostile = '\u202e\u0085\u2028';
  for (const text of [
    `{{"a${hostile}`,
    `{{a${hostile}}}`,
    `{{${hostile}}}`,
    `{{"a" "b${hostile}"}}`,
    `{{printf "%${hostile}"}}`,
  ]) {
    it(`cannot write to the terminal: ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parseTemplate(text).render({}),
        (error) => isOciError(error, 'USAGE') && `${error.message}${error.hint}`.search(hiddenCharacter) === -1,
      );
    });
  }

  it('is not longer than a screen, and names of fields are shown as harmless', () => {
    const fields = { [`a${hostile}`]: 1 };
    for (const text of [`{{${'x'.repeat(70_000)}}}`, '{{.Other}}']) {
      assert.throws(
        () => parseTemplate(text).render(fields),
        (error) =>
          isOciError(error, 'USAGE') &&
          `${error.message}${error.hint}`.length < 3000 &&
          `${error.hint}`.search(hiddenCharacter) === -1,
      );
    }
  });
});
