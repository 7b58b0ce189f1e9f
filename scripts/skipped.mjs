// A reporter that lists the tests which were skipped, with the reason each gave.
export default async function* skipped(events) {
  for await (const { type, data } of events) {
    if (type === 'test:pass' && data.skip !== undefined) {
      yield `${data.name}: ${data.skip === true ? 'no reason given' : data.skip}\n`;
    }
  }
}
