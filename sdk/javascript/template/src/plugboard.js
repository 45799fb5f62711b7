// What every action does: describe itself, read its parameters, say why it failed.

/** A text per language: `texts({ en: 'Done', ru: 'Готово', de: 'Fertig' })`. */
export function texts(byLanguage) {
  return Object.entries(byLanguage).map(([language, text]) => ({ language, text }));
}

/**
 * What the action is, as the host wants it.
 *
 * @param {{ name: string, version: string, title: Record<string, string>, summary: Record<string, string>,
 *   parameters: object, outcomes: Record<string, Record<string, string>>,
 *   sets?: Record<string, { type: string, after: string[] }>, blocking?: boolean }} action
 */
export function description(action) {
  const outcomes = Object.entries(action.outcomes).map(([name, said]) => ({ name, texts: texts(said) }));
  const sets = Object.entries(action.sets ?? {}).map(([name, { type, after }]) => ({ name, type, after }));
  return {
    name: action.name,
    version: action.version,
    titles: texts(action.title),
    summaries: texts(action.summary),
    parameters: JSON.stringify(action.parameters),
    outcomes,
    sets,
    blocking: action.blocking ?? true,
  };
}

/** Runs `act` with the parameters. What it throws, a refused host call among it, is the reason of the outcome `failed`. */
export function ran(parameters, act) {
  try {
    return act(JSON.parse(parameters));
  } catch (thrown) {
    throw reason(thrown);
  }
}

function reason(thrown) {
  // A host call throws the error of its interface: a variant with a tag.
  const told = thrown?.payload ?? thrown;
  if (told instanceof Error) return `${told.name}: ${told.message}`;
  if (typeof told === 'string') return told;
  if (told?.tag !== undefined) return told.val === undefined ? told.tag : `${told.tag}: ${told.val?.tag ?? told.val}`;
  return String(told);
}
