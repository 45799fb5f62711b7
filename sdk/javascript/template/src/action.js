// The action `greet-by-time`: a prompt for the morning, one for the day, one for the evening.

import { play } from 'plugboard:switch/call@0.1.0';
import { now } from 'plugboard:switch/clock@0.1.0';
import { write } from 'plugboard:switch/log@0.1.0';
import { set } from 'plugboard:switch/variables@0.1.0';
import { description, ran } from './plugboard.js';

export function describe() {
  return description({
    name: 'greet-by-time',
    version: '0.1.0',
    title: { en: 'Greet by time', ru: 'Приветствие по времени', de: 'Tageszeitgruß' },
    summary: {
      en: 'Greets the caller by the time of day.',
      ru: 'Приветствует по времени суток.',
      de: 'Grüßt nach der Tageszeit.',
    },
    parameters: {
      type: 'object',
      properties: {
        prompt: { type: 'string', title: 'Prompt', default: 'greeting', minLength: 1, maxLength: 100 },
        utc_offset: { type: 'integer', title: 'Hours to add to UTC', default: 0, minimum: -12, maximum: 14 },
      },
      additionalProperties: false,
    },
    outcomes: {
      done: { en: 'The caller heard it', ru: 'Приветствие прозвучало', de: 'Der Anrufer hat es gehört' },
    },
    sets: { part_of_day: { type: 'text', after: ['done'] } },
  });
}

export function run(parameters) {
  return ran(parameters, ({ prompt = 'greeting', utc_offset = 0 }) => {
    const hour = (((Math.floor(Number(now()) / 3_600_000) + utc_offset) % 24) + 24) % 24;
    const part = hour >= 5 && hour < 11 ? 'morning' : hour >= 11 && hour < 18 ? 'day' : 'evening';
    const end = play(
      { tag: 'prompt', val: `${prompt}-${part}` },
      { maxMs: undefined, repeat: false, stopOnDigit: false },
    );
    if (end.tag === 'not-playable') write('warn', end.val);
    set('part_of_day', { tag: 'text', val: part });
    return 'done';
  });
}
