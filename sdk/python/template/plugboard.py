"""What every action does: describe itself, read its parameters, say why it failed."""

import json

import wit_world
from componentize_py_types import Err
from wit_world.imports.description import ActionDescription, Outcome, Sets, Text


def texts(by_language: dict[str, str]) -> list[Text]:
    """A text per language: `texts({"en": "Done", "ru": "Готово", "de": "Fertig"})`."""
    return [Text(language=language, text=text) for language, text in by_language.items()]


class Action(wit_world.WitWorld):
    """An action: the texts and names of the class are its manifest, `act` is what it does."""

    name: str
    version: str
    title: dict[str, str]
    summary: dict[str, str]
    parameters: dict
    outcomes: dict[str, dict[str, str]]
    sets: dict[str, tuple[str, list[str]]] = {}
    blocking = True

    def act(self, given: dict) -> str:
        """Does it, and answers the outcome's name. What it raises is the reason of the outcome `failed`."""
        raise NotImplementedError

    def describe(self) -> ActionDescription:
        return ActionDescription(
            name=self.name,
            version=self.version,
            titles=texts(self.title),
            summaries=texts(self.summary),
            parameters=json.dumps(self.parameters),
            outcomes=[Outcome(name=name, texts=texts(said)) for name, said in self.outcomes.items()],
            sets=[Sets(name=name, type=kind, after=after) for name, (kind, after) in self.sets.items()],
            blocking=self.blocking,
        )

    def run(self, parameters: str) -> str:
        try:
            return self.act(json.loads(parameters))
        except Err as refused:
            # A host call raises the error of its interface: a class for each of its variants.
            told = refused.value
            raise Err(told if isinstance(told, str) else repr(told))
        except Exception as fault:
            raise Err(f"{type(fault).__name__}: {fault}")
