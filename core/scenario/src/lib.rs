//! The scenario document, its checker and its interpreter. Sans-IO.
//!
//! # The document
//!
//! YAML or JSON. Its JSON Schema, for editors, is made by [`schema`]; what [`check`] refuses goes further.
//!
//! ```yaml
//! scenario: welcome          # its name: a-z 0-9 . _ -
//! title: Welcome             # for people
//! variables:                 # name: type, or { type, default }
//!   greeting: { type: text, default: Hello }
//!   agent: user              # text number boolean time user group texts users
//! steps:                     # one after the other
//!   - play-audio: { audio: welcome }
//!   - hang-up                # an action without parameters
//! ```
//!
//! A step is one control word or one action. Any step may carry `note: text` for readers of the document.
//!
//! | word | what it does |
//! | --- | --- |
//! | an action | runs the component of that name with its parameters. `on: { outcome: steps }` hangs steps on its outcomes; `failed` is an outcome of every action, and so is `denied`: the way to the scenario does not let it run (`plugins` of offices and routes); without steps of its own, those on `failed` run. After the steps of any outcome but `answer` the next step follows |
//! | `continue: true` | beside an action that connects the caller: when the callee leaves first the caller stays and the next step runs; without it he is hung up |
//! | `if` | `if: condition`, `if: { all: [..] }` or `if: { one_of: [..] }`, with `then:` and `else:`. Conditions are CEL; one that cannot be decided counts as false and leaves a note in the trace |
//! | `when` | `when: calendar`, or `when: { days: [mon-fri], from: "09:00", to: "18:00" }`, with `then:` and `else:`: what clocks show decides, and what a calendar of the office says of the day ([`plugboard_calendar`]) |
//! | `repeat` | `repeat: 3` or `repeat: { times: 3, until: condition }` with `steps:`: they are done again and again, 100 times at most |
//! | `run` | `run: scenario`: the steps of another scenario of the office, then the next one. Both have the same variables; `given: true` at a declared one says that whoever runs the scenario gives it its value |
//! | `menu` | asks the caller for a key: `prompt`, `keys: { "1": steps }`, `extensions: true` (internal numbers are put through), `digits` (8), `first_digit` (5s), `inter_digit` (2s), `repeats` (2), `invalid`, `nothing`, `unanswered` (steps after the last wrong answer, after the last missing one, and when an internal number was not answered) |
//! | `event` | `event: hold` with `steps:`: from here on these run beside the script each time it happens. [`Occasion`] has the events |
//! | `stream` | `stream: steps`: these run beside the script, one after the other, and end with the call |
//! | `set` | assigns variables, in order: numbers, booleans, lists of texts, templates; users, groups and contacts by id or number |
//!
//! **Texts are templates**: `{name}` is a variable, `{{` and `}}` are braces. A parameter that is nothing but `{name}`
//! keeps the variable's type. The switch's own variables are [`SWITCH_VARIABLES`].
//!
//! **Users, groups and contacts** are their ids in texts and conditions, but for a contact in a text, who is his name. Of a contact in the
//! variable `whom` texts (`{whom.email}`) and conditions (`"vip" in whom.groups`) have `id`, `name`, `company`, `email`, `language` and
//! `groups`, as the office had them when the variable got him; what nobody said is empty.
//!
//! **Answer.** When an action ends with `answer` while the caller talks to somebody, the steps on `answer` run beside the
//! conversation, and the steps after the action wait for its end.
//!
//! **Events.** Beside its outcomes, an action that can be answered has `ringing` (once a run, when somebody whom it calls rings)
//! and `hang-up` (when the conversation that it began is over): `on: { ringing: steps }`. Steps at an event read
//! [`EVENT_VARIABLES`]; they hold neither the script nor the call up, and what they assign stays. At the hanging up script and
//! streams are stopped; its steps have 30 s then, in which the call can neither be played to nor put through.
//!
//! **Actions that end the call** are those without outcomes, as `hang-up`: nothing follows them.
//!
//! **Keywords of an action's schema** that the checker knows beyond JSON Schema: `x-type: duration | user | group | prompt
//! | music | tone | source | database | query | query-parameters | recipient | mail-template` (a query is one of the database that another parameter names, and
//! `query-parameters` is a map that gives each of the query's parameters a value), `x-minimum` and `x-maximum` of a duration, `x-does: METHOD` of a source (what the action always does there, where no parameter `method` says it), `x-reads: TYPE` (the text names a variable that the action reads),
//! `x-assigns: TYPE` (it names one that the action assigns unless it fails, or with `x-after: OUTCOME` after that alone; the keys of a
//! map are names; `declared`: of the type that the scenario declares), and `x-by: { parameter: P, WORD: { .. } }`
//! (these keywords hold when parameter P is WORD; where one of the words is `list`, the others take one item). A property without any of them is understood by its name: `user`,
//! `group`, `prompt` and `music` name one of the office's; `target` beside `mode` is a user (`user`, `list`) or a variable
//! of type user (`variable`); `audio` is a prompt, or music or a tone where `kind` says so.
//!
//! # The machine
//!
//! [`Document::parse`] reads, [`compile`] checks and makes a [`Program`], an [`Interpreter`] runs it for one call.
//! [`Input::Bridged`] comes before the [`Input::RunEnded`] of the action that connected the caller. After
//! [`Output::FindExtension`] the answer comes before any other input. [`replay`] does a call again from its inputs.

mod catalogue;
mod check;
mod condition;
mod contact;
mod document;
mod flow;
mod interpreter;
mod io;
mod occasion;
mod parameter;
mod program;
mod schema;
mod system;
mod template;
mod variables;
mod wanted;

pub use catalogue::{ANSWER, Action, ActionCatalogue, DENIED, Extension, FAILED, KnownDatabases, Resolver, Sets};
pub use check::{build, build_examined, check, compile};
pub use document::{Assignment, Branch, CONTROL_WORDS, Condition, Document, Menu, Said, Step, StepKind, Variable};
pub use interpreter::{Interpreter, replay};
pub use io::{Input, Output, RunOutcome, ScenarioEnd, Talker};
pub use occasion::Occasion;
pub use plugboard_document::{Fault, Node};
pub use program::Program;
pub use schema::schema;
pub use system::System;
pub use template::{escaped_for_html, fill};
pub use wanted::{Wanted, WantedValue};

use plugboard_model::ValueType;

/// The switch's own variables, given with [`Input::Start`]; documents read them, nobody assigns them.
///
/// `agent_name` is the name of the user who talks with the caller, or did last; an empty text until there is one, and for whoever is of no
/// office. `caller_user` is there only when the caller is a user of the office, so a scenario asks `assigned(caller_user)` first.
pub const SWITCH_VARIABLES: [(&str, ValueType); 7] = [
    ("caller_number", ValueType::Text),
    ("caller_name", ValueType::Text),
    ("caller_user", ValueType::User),
    ("called_number", ValueType::Text),
    ("call_id", ValueType::Text),
    ("language", ValueType::Text),
    ("agent_name", ValueType::Text),
];

/// The variables that the steps at an event read, and nobody assigns: who did it, and to whom. The numbers are empty texts
/// when they are withheld or there is nobody; the users are there only when they are of the office.
pub const EVENT_VARIABLES: [(&str, ValueType); 4] = [
    ("event_number", ValueType::Text),
    ("event_user", ValueType::User),
    ("event_other_number", ValueType::Text),
    ("event_other_user", ValueType::User),
];
