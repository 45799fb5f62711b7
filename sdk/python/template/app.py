"""The action `greet-by-time`: a prompt for the morning, one for the day, one for the evening."""

from plugboard import Action
from wit_world.imports import call, clock, log, types, variables


class WitWorld(Action):
    name = "greet-by-time"
    version = "0.1.0"
    title = {"en": "Greet by time", "ru": "Приветствие по времени", "de": "Tageszeitgruß"}
    summary = {
        "en": "Greets the caller by the time of day.",
        "ru": "Приветствует по времени суток.",
        "de": "Grüßt nach der Tageszeit.",
    }
    parameters = {
        "type": "object",
        "properties": {
            "prompt": {"type": "string", "title": "Prompt", "default": "greeting", "minLength": 1, "maxLength": 100},
            "utc_offset": {
                "type": "integer",
                "title": "Hours to add to UTC",
                "default": 0,
                "minimum": -12,
                "maximum": 14,
            },
        },
        "additionalProperties": False,
    }
    outcomes = {"done": {"en": "The caller heard it", "ru": "Приветствие прозвучало", "de": "Der Anrufer hat es gehört"}}
    sets = {"part_of_day": ("text", ["done"])}

    def act(self, given: dict) -> str:
        hour = (clock.now() // 3_600_000 + given.get("utc_offset", 0)) % 24
        part = "morning" if 5 <= hour < 11 else "day" if 11 <= hour < 18 else "evening"
        prompt = given.get("prompt", "greeting") + "-" + part
        end = call.play(call.Audio_Prompt(prompt), call.PlayOptions(max_ms=None, repeat=False, stop_on_digit=False))
        if isinstance(end, call.PlayEnd_NotPlayable):
            log.write(log.Level.WARN, end.value)
        variables.set("part_of_day", types.Value_Text(part))
        return "done"
