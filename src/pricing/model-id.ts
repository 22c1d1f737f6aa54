/** A longer id is no model's, and is not searched for. */
const maxIdLength = 256;

/** Where a host keeps its models: ARNs, `publishers/google/models/`, `models/`, `accounts/fireworks/models/`. */
const path =
  /^(arn:aws[^/]*|(projects\/.*\/)?publishers\/[^/]+\/models|models|accounts\/fireworks\/(models|routers))\//;

/** What names a snapshot and not another model: tuned-for, API version, date, `latest`. Other suffixes may cost more. */
const suffixes = [
  /(?<=^ft:[^:]+):.*$/,
  /(-v\d{1,2})?(:\d{1,2}(:\d+k)?)?$/,
  /(-v\d(?=@))?[-@](20\d{2}-\d{2}-\d{2}|20\d{6})$/,
  /(?<=^gemini-.*)-(\d{3}|\d{2}-\d{2}|\d{2}-20\d{2})$/,
  /[-@:](latest|default)$/,
] as const;

/** Where a model of Bedrock runs; `global.` costs less for some, so it is left out last. */
const region = /^(global|us|us-gov|eu|apac|au|jp|in|ca|sa|mx)\./;

/** The ids under which the price of a model may stand, its own first; none for what can't be an id. */
export function listIds(model: string): readonly string[] {
  if (model.length > maxIdLength) return [];
  const ids = new Set([model]);
  for (const start of [model, model.toLowerCase()]) {
    let id = start.replace(path, '');
    ids.add(id);
    for (const suffix of suffixes) {
      id = id.replace(suffix, '');
      ids.add(id);
    }
  }
  for (const id of [...ids]) ids.add(id.replace(region, ''));
  ids.delete('');
  return [...ids];
}
