//! Conditions: CEL expressions over typed variables, checked before they run.
//!
//! The subset: variables, literals, lists, arithmetic, comparison, `&&`, `||`, `!`, `? :`, `in`, `size`, `contains`,
//! `startsWith`, `endsWith`, `int`, `string`, the macros `all`, `exists`, `exists_one`, `filter` and `map` over lists,
//! `assigned(variable)`, and the fields of a contact: `whom.company`. Maps and messages are refused: nothing in a call is one, and
//! their order is not defined.

use crate::contact::{ContactField, Said, unknown_field};
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, SelectExpr};
use cel::common::types::{CelBool, CelInt, CelString};
use plugboard_model::{Value, ValueType};
use std::sync::{Arc, LazyLock};

/// An expression past this is a program, not a condition.
const TEXT_BYTES_MAX: usize = 1_024;
/// Loops inside loops: three over lists of 64 are 262,144 rounds, one millisecond too many on an arbiter.
const LOOPS_MAX: usize = 2;
/// What `assigned(name)` is turned into: no document can write this name.
const ASSIGNED: &str = "@assigned:";
/// The operators and functions of the language: made once, since that takes longer than deciding a hundred conditions.
static LANGUAGE: LazyLock<Arc<cel::Env>> = LazyLock::new(|| Arc::new(cel::Env::stdlib()));

/// A checked condition.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    expression: IdedExpr,
    /// Variables whose value it needs.
    uses: Vec<String>,
    /// Variables that it asks `assigned()` of.
    asks: Vec<String>,
    /// Fields of contacts whose value it needs.
    fields: Vec<(String, ContactField)>,
    /// `assigned(x)` alone: true; `!assigned(x)` alone: false. Lets the checker know more in each branch.
    proves: Option<(String, bool)>,
}

/// The type of an expression, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Boolean,
    Number,
    Decimal,
    Text,
    List,
    Null,
    /// Known only in the call: a list's item.
    Any,
}

impl Condition {
    /// Reads and checks an expression; the error says what is wrong. `type_of` knows the variables.
    pub(crate) fn compile(text: &str, type_of: &dyn Fn(&str) -> Option<ValueType>) -> Result<Self, String> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(format!("a condition has at most {TEXT_BYTES_MAX} bytes"));
        }
        let program = cel::Program::compile(text).map_err(|errors| {
            let first = errors.errors.first().map_or_else(String::new, |error| error.msg.clone());
            format!("no CEL expression: {}", first.lines().next().unwrap_or_default())
        })?;
        let mut expression = program.expression().clone();
        let mut checker =
            Checker { type_of, uses: Vec::new(), asks: Vec::new(), fields: Vec::new(), scope: Vec::new(), loops: 0 };
        let kind = checker.infer(&mut expression)?;
        if !matches!(kind, Kind::Boolean | Kind::Any) {
            return Err(format!("a condition is true or false, this is {}", kind.name()));
        }
        let Checker { uses, asks, fields, .. } = checker;
        let proves = proof(&expression);
        Ok(Self { expression, uses, asks, fields, proves })
    }

    /// Variables whose value it needs.
    pub(crate) fn uses(&self) -> &[String] {
        &self.uses
    }

    /// The variable whose assignment it is about, and whether being true means that it is assigned.
    pub(crate) fn proves(&self) -> Option<(&str, bool)> {
        self.proves.as_ref().map(|(name, assigned)| (name.as_str(), *assigned))
    }

    /// The texts, numbers and truths that it speaks of, in their order.
    pub(crate) fn literals(&self) -> Vec<Value> {
        let mut found = Vec::new();
        literals(&self.expression, &mut found);
        found
    }

    /// Decides; the error says why it cannot be decided, such as a division by zero.
    pub(crate) fn decide<'v>(&self, value_of: impl Fn(&str) -> Option<&'v Value>) -> Result<bool, String> {
        let mut context = cel::Context::with_env(Arc::clone(&LANGUAGE));
        for name in &self.uses {
            let value = value_of(name).ok_or_else(|| format!("{name} has no value"))?;
            bind(&mut context, name, value);
        }
        for (name, field) in &self.fields {
            let Some(Value::Contact(contact)) = value_of(name) else { return Err(format!("{name} is no contact")) };
            let name = field_of(name, *field);
            match field.of(contact) {
                Said::Text(text) => context.add_variable_as_val(name, Box::new(CelString::from(text))),
                Said::Texts(texts) => {
                    let list = texts.iter().map(|text| cel::Value::from(text.as_str())).collect();
                    context.add_variable_from_value(name, cel::Value::List(Arc::new(list)));
                }
            }
        }
        for name in &self.asks {
            let assigned = value_of(name).is_some();
            context.add_variable_as_val(format!("{ASSIGNED}{name}"), Box::new(CelBool::from(assigned)));
        }
        match cel::Value::resolve(&self.expression, &context) {
            Ok(cel::Value::Bool(decided)) => Ok(decided),
            Ok(_) => Err("it is neither true nor false".into()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Gives a variable of the condition its value, texts without a copy. A user, group or contact is the name in its id; a time is milliseconds.
fn bind<'v>(context: &mut cel::Context<'_, 'v>, name: &str, value: &'v Value) {
    let list = |texts: Vec<&str>| cel::Value::List(Arc::new(texts.into_iter().map(cel::Value::from).collect()));
    let text = |text: &'v str| Box::new(CelString::from(text));
    match value {
        Value::Text(own) => context.add_variable_as_val(name, text(own)),
        Value::Number(number) => context.add_variable_as_val(name, Box::new(CelInt::from(*number))),
        Value::Boolean(boolean) => context.add_variable_as_val(name, Box::new(CelBool::from(*boolean))),
        Value::Time(time) => context.add_variable_as_val(name, Box::new(CelInt::from(time.0))),
        Value::User(user) => context.add_variable_as_val(name, text(user.name.as_str())),
        Value::Group(group) => context.add_variable_as_val(name, text(group.name.as_str())),
        Value::Contact(contact) => context.add_variable_as_val(name, text(contact.id.name.as_str())),
        Value::Texts(texts) => context.add_variable_from_value(name, list(texts.iter().map(String::as_str).collect())),
        Value::Users(users) => {
            context.add_variable_from_value(name, list(users.iter().map(|user| user.name.as_str()).collect()));
        }
    }
}

/// What a field of a contact is turned into: no document can write this name.
fn field_of(name: &str, field: ContactField) -> String {
    format!("@{field:?}:{name}")
}

fn literals(expression: &IdedExpr, found: &mut Vec<Value>) {
    match &expression.expr {
        Expr::Literal(LiteralValue::Boolean(yes)) => found.push(Value::Boolean(*yes.inner())),
        Expr::Literal(LiteralValue::Int(number)) => found.push(Value::Number(*number.inner())),
        Expr::Literal(LiteralValue::String(text)) => found.push(Value::Text(text.inner().to_owned())),
        Expr::List(list) => list.elements.iter().for_each(|item| literals(item, found)),
        Expr::Call(call) => {
            call.target.iter().map(|target| &**target).chain(&call.args).for_each(|part| literals(part, found));
        }
        Expr::Comprehension(comprehension) => {
            literals(&comprehension.iter_range, found);
            literals(&comprehension.loop_step, found);
        }
        Expr::Literal(_) | Expr::Unspecified | Expr::Ident(_) | Expr::Map(_) | Expr::Select(_) | Expr::Struct(_) => {}
    }
}

fn proof(expression: &IdedExpr) -> Option<(String, bool)> {
    match &expression.expr {
        Expr::Ident(name) => Some((name.strip_prefix(ASSIGNED)?.to_owned(), true)),
        Expr::Call(call) if call.func_name == "!_" => {
            proof(call.args.first()?).map(|(name, assigned)| (name, !assigned))
        }
        Expr::Unspecified
        | Expr::Call(_)
        | Expr::Comprehension(_)
        | Expr::List(_)
        | Expr::Literal(_)
        | Expr::Map(_)
        | Expr::Select(_)
        | Expr::Struct(_) => None,
    }
}

impl Kind {
    const fn of(value_type: ValueType) -> Self {
        match value_type {
            ValueType::Text | ValueType::User | ValueType::Group | ValueType::Contact => Self::Text,
            ValueType::Number | ValueType::Time => Self::Number,
            ValueType::Boolean => Self::Boolean,
            ValueType::Texts | ValueType::Users => Self::List,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::Number => "a number",
            Self::Decimal => "a decimal number",
            Self::Text => "a text",
            Self::List => "a list",
            Self::Null => "null",
            Self::Any => "anything",
        }
    }
}

struct Checker<'t> {
    type_of: &'t dyn Fn(&str) -> Option<ValueType>,
    uses: Vec<String>,
    asks: Vec<String>,
    fields: Vec<(String, ContactField)>,
    /// Loop variables, the innermost last.
    scope: Vec<(String, Kind)>,
    loops: usize,
}

impl Checker<'_> {
    /// The type of an expression; rewrites `assigned(x)` on its way. The parser limits the depth to 96.
    fn infer(&mut self, node: &mut IdedExpr) -> Result<Kind, String> {
        if let Expr::Call(call) = &node.expr
            && call.func_name == "assigned"
        {
            let name = self.asked(call)?;
            node.expr = Expr::Ident(format!("{ASSIGNED}{name}"));
            return Ok(Kind::Boolean);
        }
        if let Expr::Select(select) = &node.expr {
            let (name, field) = self.field(select)?;
            node.expr = Expr::Ident(field_of(&name, field));
            return Ok(Kind::of(field.value_type()));
        }
        match &mut node.expr {
            Expr::Ident(name) => self.variable(name),
            Expr::Literal(literal) => Ok(match literal {
                LiteralValue::Boolean(_) => Kind::Boolean,
                LiteralValue::Double(_) => Kind::Decimal,
                LiteralValue::Int(_) | LiteralValue::UInt(_) => Kind::Number,
                LiteralValue::String(_) => Kind::Text,
                LiteralValue::Null => Kind::Null,
                LiteralValue::Bytes(_) => return Err("bytes are not known here".into()),
            }),
            Expr::List(list) => {
                for item in &mut list.elements {
                    self.infer(item)?;
                }
                Ok(Kind::List)
            }
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::Select(_) => unreachable!("a field was taken above"),
            Expr::Map(_) | Expr::Struct(_) => Err("maps are refused, because their order is not defined".into()),
            Expr::Unspecified => Err("the expression is empty".into()),
        }
    }

    fn asked(&mut self, call: &CallExpr) -> Result<String, String> {
        let (None, [IdedExpr { expr: Expr::Ident(name), .. }]) = (&call.target, call.args.as_slice()) else {
            return Err("assigned() takes the name of one variable".into());
        };
        if (self.type_of)(name).is_none() {
            return Err(format!("there is no variable {name:?}"));
        }
        if !self.asks.contains(name) {
            self.asks.push(name.clone());
        }
        Ok(name.clone())
    }

    /// A field of a variable.
    fn field(&mut self, select: &SelectExpr) -> Result<(String, ContactField), String> {
        let Expr::Ident(name) = &select.operand.expr else {
            return Err(format!("only a variable has fields, and {:?} is asked of something else", select.field));
        };
        if select.test {
            return Err("has() is not known here: what nobody said of a contact is empty".into());
        }
        if self.scope.iter().any(|(own, _)| own == name) {
            return Err(format!("the items of a list have no field {:?}", select.field));
        }
        self.variable(name)?;
        let value_type = (self.type_of)(name).ok_or_else(|| format!("there is no variable {name:?}"))?;
        let unknown = || unknown_field(name, value_type, &select.field).unwrap_or_default();
        let known = ContactField::parse(&select.field).filter(|_| value_type == ValueType::Contact);
        let field = (name.clone(), known.ok_or_else(unknown)?);
        if !self.fields.contains(&field) {
            self.fields.push(field.clone());
        }
        Ok(field)
    }

    fn variable(&mut self, name: &str) -> Result<Kind, String> {
        if let Some((_, kind)) = self.scope.iter().rev().find(|(own, _)| own == name) {
            return Ok(*kind);
        }
        let value_type = (self.type_of)(name).ok_or_else(|| format!("there is no variable {name:?}"))?;
        if !self.uses.iter().any(|used| used == name) {
            self.uses.push(name.into());
        }
        Ok(Kind::of(value_type))
    }

    fn call(&mut self, call: &mut CallExpr) -> Result<Kind, String> {
        let mut kinds = Vec::new();
        if let Some(target) = &mut call.target {
            kinds.push(self.infer(target)?);
        }
        for argument in &mut call.args {
            kinds.push(self.infer(argument)?);
        }
        result_of(&call.func_name, &kinds)
    }

    fn comprehension(&mut self, expr: &mut ComprehensionExpr) -> Result<Kind, String> {
        let range = self.infer(&mut expr.iter_range)?;
        if range != Kind::List {
            return Err(format!("only a list can be gone through, this is {}", range.name()));
        }
        self.loops += 1;
        if self.loops > LOOPS_MAX {
            return Err(format!("more than {LOOPS_MAX} loops inside each other"));
        }
        let start = self.infer(&mut expr.accu_init)?;
        let before = self.scope.len();
        self.scope.push((expr.iter_var.clone(), Kind::Any));
        self.scope.extend(expr.iter_var2.iter().map(|name| (name.clone(), Kind::Any)));
        self.scope.push((expr.accu_var.clone(), start));
        self.infer(&mut expr.loop_cond)?;
        self.infer(&mut expr.loop_step)?;
        let result = self.infer(&mut expr.result);
        self.scope.truncate(before);
        self.loops -= 1;
        result
    }
}

/// The type that a function or operator returns for arguments of these types.
fn result_of(function: &str, kinds: &[Kind]) -> Result<Kind, String> {
    use Kind as K;
    let fits = |wanted: &[K]| {
        kinds.len() == wanted.len()
            && kinds.iter().zip(wanted).all(|(own, wanted)| *own == K::Any || *wanted == K::Any || own == wanted)
    };
    let one_of = |choices: &[(&[K], K)]| choices.iter().find(|(wanted, _)| fits(wanted)).map(|(_, result)| *result);
    let pairs: [&[K]; 3] = [&[K::Number, K::Number], &[K::Decimal, K::Decimal], &[K::Text, K::Text]];
    let found = match function {
        "_&&_" | "_||_" => one_of(&[(&[K::Boolean, K::Boolean], K::Boolean)]),
        "!_" | "@not_strictly_false" => one_of(&[(&[K::Boolean], K::Boolean)]),
        "_==_" | "_!=_" => {
            let same = matches!(kinds, [a, b] if a == b || [a, b].iter().any(|kind| matches!(kind, K::Any | K::Null)));
            same.then_some(K::Boolean)
        }
        "_<_" | "_<=_" | "_>_" | "_>=_" => pairs.iter().any(|pair| fits(pair)).then_some(K::Boolean),
        "_+_" => one_of(&[
            (&[K::Number, K::Number], K::Number),
            (&[K::Decimal, K::Decimal], K::Decimal),
            (&[K::Text, K::Text], K::Text),
            (&[K::List, K::List], K::List),
        ]),
        "_-_" | "_*_" | "_/_" => {
            one_of(&[(&[K::Number, K::Number], K::Number), (&[K::Decimal, K::Decimal], K::Decimal)])
        }
        "_%_" => one_of(&[(&[K::Number, K::Number], K::Number)]),
        "-_" => one_of(&[(&[K::Number], K::Number), (&[K::Decimal], K::Decimal)]),
        "_?_:_" => match kinds {
            [K::Boolean | K::Any, a, b] if a == b => Some(*a),
            [K::Boolean | K::Any, _, _] => Some(K::Any),
            _ => None,
        },
        "@in" => one_of(&[(&[K::Any, K::List], K::Boolean)]),
        "_[_]" => one_of(&[(&[K::List, K::Number], K::Any)]),
        "size" => one_of(&[(&[K::Text], K::Number), (&[K::List], K::Number)]),
        "startsWith" | "endsWith" | "contains" => one_of(&[(&[K::Text, K::Text], K::Boolean)]),
        "int" => one_of(&[(&[K::Text], K::Number), (&[K::Number], K::Number), (&[K::Decimal], K::Number)]),
        "string" => one_of(&[(&[K::Text], K::Text), (&[K::Number], K::Text), (&[K::Boolean], K::Text)]),
        _ => return Err(format!("there is no function {function:?}")),
    };
    found.ok_or_else(|| {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        format!("{} does not go with {}", function.trim_matches(['_', '@']), names.join(" and "))
    })
}
