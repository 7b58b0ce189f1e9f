/** Documents that cost most for their length: deep, wide, with long keys, many keys, or references to themselves. */

const deep = 150;

function repeated(piece: string, bytes: number, separator = ','): string {
  return Array.from({ length: Math.floor(bytes / (piece.length + separator.length)) }, () => piece).join(separator);
}

function numbered(bytes: number, make: (at: number) => string, separator = ','): string {
  return Array.from({ length: Math.floor(bytes / (make(10_000).length + 1)) }, (_, at) => make(at)).join(separator);
}

export function jsonTexts(bytes: number): readonly string[] {
  const long = 'k'.repeat(bytes / 2);
  const key = 'k'.repeat(bytes / 2 / deep);
  const descriptor = `{"mediaType":"a/b","digest":"sha256:${'0'.repeat(64)}","size":1}`;
  const digests = repeated(descriptor, bytes);
  return [
    ...['auths', 'credHelpers', 'HttpHeaders', 'proxies', 'manifests', 'annotations', 'keys', 'errors'].flatMap(
      (name) => [
        `{"${name}":{${numbered(bytes, (at) => `"k${at}":{}`)}}}`,
        `{"${name}":{${numbered(bytes, (at) => `"k${at}":"v"`)}}}`,
        `{"${name}":[${repeated('1', bytes)}]}`,
        `{"${name}":[${repeated('{}', bytes)}]}`,
      ],
    ),
    `{"auths":{${numbered(bytes, (at) => `"k${at}":{"auth":"YTpi"}`)}}}`,
    `{"auths":{${numbered(bytes, (at) => `\n"k${at}":{}`)}}}`,
    `{"auths":{"a":{"auth":"${'A'.repeat(bytes)}"}}}`,
    `{"auths":{"a":{"auth":"${'OjAA'.repeat(bytes / 4)}"}}}`,
    `{"auths":{"a":{"auth":"${Buffer.from(`a:${'\0'.repeat(bytes / 2)}x`).toString('base64')}"}}}`,
    `{"insecure-registries":[${numbered(bytes, (at) => `"h${at}:5000"`)}]}`,
    `{"registry-mirrors":[${numbered(bytes, (at) => `"http://h${at}"`)}]}`,
    `{"${long}":{${numbered(bytes / 2, (at) => `"${at}":1`)}}}`,
    `{"${long}":[${repeated('1', bytes / 2)}]}`,
    `${'['.repeat(deep)}${repeated('1', bytes)}${']'.repeat(deep)}`,
    `${`{"${key}":`.repeat(deep)}[${repeated('1', bytes / 2)}]${'}'.repeat(deep)}`,
    `${'{"a":'.repeat(bytes / 6)}1${'}'.repeat(bytes / 6)}`,
    `[${repeated('[]', bytes)}]`,
    `{"a":"${'\\u0000'.repeat(bytes / 6)}"}`,
    `{"a":"${'\\"'.repeat(bytes / 2)}`,
    `{${repeated('"a":1', bytes)}}`,
    `{"a":${'1'.repeat(bytes)}}`,
    `{"a":${'0'.repeat(bytes)}1}`,
    `{"schemaVersion":2,"config":${descriptor},"layers":[${digests}]}`,
    `{"schemaVersion":2,"manifests":[${digests}]}`,
    `{"schemaVersion":1,"fsLayers":[${repeated(`{"blobSum":"sha256:${'0'.repeat(64)}"}`, bytes)}]}`,
    `{"signatures":[${repeated('{"protected":"e30","signature":"","header":{}}', bytes)}]}`,
    `{"history":[${repeated('{}', bytes)}]}`,
    `{"config":{"Labels":{${numbered(bytes, (at) => `"k${at}":"v"`)}}}}`,
    `{"created":"2000-01-01T00:00:00.${'0'.repeat(bytes)}"}`,
    `{"results":[${numbered(bytes, (at) => `{"name":"n${at}"}`)}]}`,
    `{"results":[{"name":"${'\\u202e'.repeat(bytes / 6)}"}]}`,
    `{"errors":[{"message":"${'https://'.repeat(bytes / 8)}"}]}`,
    `{"keys":[${repeated('{"kty":"RSA","n":"AQ","e":"AQ"}', bytes)}]}`,
    `{"keys":[${repeated('{"use":"enc"}', bytes)}]}`,
  ];
}

export function yamlTexts(bytes: number): readonly string[] {
  const anchors = (width: number) =>
    numbered(
      bytes,
      (at) =>
        `k${at}: &k${at} [${Array(width)
          .fill(`*k${Math.max(0, at - 1)}`)
          .join(',')}]`,
      '\n',
    );
  return [
    `root: &a b\nx: [${repeated('*a', bytes)}]`,
    `x: [${numbered(bytes / 2, (at) => `&a${at} b`)}]\ny: [${numbered(bytes / 2, (at) => `*a${at}`)}]`,
    anchors(1).replace('*k0', 'x'),
    anchors(9).replaceAll('*k0', 'x'),
    numbered(bytes, (at) => `k${at}: v`, '\n'),
    `registries: [${repeated('{prefix: a.b}', bytes)}]`,
    `registries:\n${numbered(bytes, (at) => `- prefix: h${at}.b`, '\n')}`,
    `registries:\n${numbered(bytes, (at) => `- prefix: h${at}.b\n  mirrors: [{location: m.n}]`, '\n')}`,
    `insecure-registries: [${numbered(bytes, (at) => `h${at}`)}]`,
    `insecure-registries:\n${numbered(bytes, (at) => `- h${at}`, '\n')}`,
    `registries: [{server: {headers: {${numbered(bytes, (at) => `k${at}: v`)}}}}]`,
    `root: ${'['.repeat(bytes)}`,
    `root: ${'[{a: '.repeat(bytes / 8)}${'}]'.repeat(bytes / 8)}`,
    `${numbered(Math.min(bytes, 20_000), (at) => `${' '.repeat(at)}k:`, '\n')}`,
    `root: "${'\\x41'.repeat(bytes / 4)}"`,
    `root: |\n${repeated(' a', bytes, '\n')}`,
    `root: ${'!'.repeat(bytes)}`,
    `${'&a '.repeat(bytes / 3)}`,
    `${'? '.repeat(bytes / 2)}`,
    `${'- '.repeat(bytes / 2)}`,
    `%${'a '.repeat(bytes / 2)}`,
    `<<: [${repeated('{}', bytes)}]`,
    `a: &a {}\n<<: [${repeated('*a', bytes)}]`,
    `${repeated('---', bytes, '\n')}`,
    `${'#'.repeat(bytes)}`,
    `${repeated('#', bytes, '\n')}\nroot: a`,
  ];
}

export function tomlTexts(bytes: number): readonly string[] {
  return [
    numbered(bytes, (at) => `[host."http://h${at}"]`, '\n'),
    numbered(bytes, (at) => `[[registry]]\nprefix = "h${at}.b"`, '\n'),
    numbered(bytes, (at) => `[[registry]]\nprefix = "h${at}.b"\n[[registry.mirror]]\nlocation = "m.n"`, '\n'),
    `[[registry]]\nprefix = "a.b"\n${repeated('[[registry.mirror]]\nlocation = "m.n"', bytes, '\n')}`,
    `unqualified-search-registries = [${numbered(bytes, (at) => `"h${at}.b"`)}]`,
    `[aliases]\n${numbered(bytes, (at) => `"n${at}" = "h.b/n"`, '\n')}`,
    `[registries.insecure]\nregistries = [${numbered(bytes, (at) => `"h${at}.b"`)}]`,
    numbered(bytes, (at) => `k${at} = 1`, '\n'),
    `a = ${'['.repeat(bytes)}`,
    `a = ${'['.repeat(bytes / 2)}${']'.repeat(bytes / 2)}`,
    `a = ${'{a='.repeat(bytes / 3)}`,
    `a = "${'\\u0041'.repeat(bytes / 6)}"`,
    `a = """${'"" '.repeat(bytes / 3)}"""`,
    `${'a.'.repeat(bytes / 2)}a = 1`,
    `[${'a.'.repeat(bytes / 2)}a]`,
    numbered(bytes, (at) => `[${'a.'.repeat(50)}k${at}]`, '\n'),
    numbered(bytes, (at) => `[[${'a.'.repeat(50)}k${at}]]`, '\n'),
    `a = [${repeated('{}', bytes)}]`,
    `a = ${'1'.repeat(bytes)}`,
    `a = ${'1_'.repeat(bytes / 2)}`,
    `a = [\n${repeated('[x],', bytes, '\n')}\n]`,
    `a = """\n${repeated('[x]', bytes, '\n')}\n"""`,
    `${' '.repeat(bytes)}`,
    `${repeated('#', bytes, '\n')}`,
  ];
}
