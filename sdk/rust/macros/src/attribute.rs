//! `#[parameter(default = .., min = .., max = .., names = .., does = .., assigns = .., reads = .., by(..))]`.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::{Map, Value as Json};
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, ExprUnary, Lit, LitStr, UnOp};

/// The types of scenario variables, as `wit/0.1.0/action.wit` names them.
const VARIABLE_TYPES: [&str; 9] = ["text", "number", "boolean", "time", "user", "group", "texts", "users", "contact"];

/// What a text can name, as the scenario checker knows it: something of the office, or a tone of the switch.
const NOUNS: [&str; 11] = [
    "user",
    "group",
    "prompt",
    "music",
    "tone",
    "source",
    "database",
    "query",
    "query-parameters",
    "recipient",
    "mail-template",
];

/// What may be done at a source of the web.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// What a variable that an action assigns can be: of a type of the action's, or of the one that the scenario declares.
const ASSIGNED: [&str; 10] =
    ["text", "number", "boolean", "time", "user", "group", "texts", "users", "contact", "declared"];

/// A literal: a text, a whole number or a truth.
enum Literal {
    Text(String),
    Number(i64),
    Boolean(bool),
}

/// What the attribute of one field says.
#[derive(Default)]
pub(crate) struct Given {
    default: Option<Literal>,
    min: Option<(Literal, i64)>,
    max: Option<(Literal, i64)>,
    /// What the text means, for the scenario checker.
    meaning: Map<String, Json>,
}

impl Given {
    /// Reads every `#[parameter(..)]` of a field.
    pub(crate) fn of(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut given = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("parameter")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("default") {
                    given.default = Some(literal(&meta.value()?.parse()?)?);
                } else if meta.path.is_ident("min") {
                    given.min = Some(bound(&meta.value()?.parse()?)?);
                } else if meta.path.is_ident("max") {
                    given.max = Some(bound(&meta.value()?.parse()?)?);
                } else if meta.path.is_ident("by") {
                    given.meaning.insert("x-by".into(), by(&meta)?.into());
                } else {
                    meaning(&meta, &mut given.meaning)?;
                }
                Ok(())
            })?;
        }
        Ok(given)
    }

    /// The fields of the SDK's `Field` that are checked at run time.
    pub(crate) fn tokens(&self) -> TokenStream {
        let default = option(self.default.as_ref().map(Literal::tokens));
        let min = option(self.min.as_ref().map(bound_tokens));
        let max = option(self.max.as_ref().map(bound_tokens));
        quote!(default: #default, min: #min, max: #max)
    }

    /// Puts what only the schema says beside its texts.
    pub(crate) fn add_to(&self, keywords: &mut Map<String, Json>) {
        if let Some(default) = &self.default {
            keywords.insert("default".into(), default.json());
        }
        keywords.extend(self.meaning.clone());
    }
}

impl Literal {
    fn tokens(&self) -> TokenStream {
        match self {
            Self::Text(text) => quote!(::plugboard_sdk::macros::Literal::Text(#text)),
            Self::Number(number) => quote!(::plugboard_sdk::macros::Literal::Number(#number)),
            Self::Boolean(yes) => quote!(::plugboard_sdk::macros::Literal::Boolean(#yes)),
        }
    }

    fn json(&self) -> Json {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Number(number) => (*number).into(),
            Self::Boolean(yes) => (*yes).into(),
        }
    }
}

fn option(tokens: Option<TokenStream>) -> TokenStream {
    match tokens {
        Some(tokens) => quote!(::core::option::Option::Some(#tokens)),
        None => quote!(::core::option::Option::None),
    }
}

fn bound_tokens((literal, measure): &(Literal, i64)) -> TokenStream {
    let json = literal.json().to_string();
    quote!(::plugboard_sdk::macros::Bound { json: #json, measure: #measure })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the grammar grows; none of the other expressions is a literal")]
fn literal(expression: &Expr) -> syn::Result<Literal> {
    let fault = || syn::Error::new_spanned(expression, "expected a text, a whole number, true or false");
    match expression {
        Expr::Lit(given) => match &given.lit {
            Lit::Str(text) => Ok(Literal::Text(text.value())),
            Lit::Int(number) => Ok(Literal::Number(number.base10_parse()?)),
            Lit::Bool(yes) => Ok(Literal::Boolean(yes.value)),
            _ => Err(fault()),
        },
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => match literal(expr)? {
            Literal::Number(number) => Ok(Literal::Number(-number)),
            Literal::Text(_) | Literal::Boolean(_) => Err(fault()),
        },
        _ => Err(fault()),
    }
}

/// A bound and what it is compared by: itself, or the milliseconds of a time.
fn bound(expression: &Expr) -> syn::Result<(Literal, i64)> {
    let literal = literal(expression)?;
    let measure = match &literal {
        Literal::Number(number) => Some(*number),
        Literal::Text(text) => millis(text),
        Literal::Boolean(_) => None,
    };
    match measure {
        Some(measure) => Ok((literal, measure)),
        None => Err(syn::Error::new_spanned(expression, "expected a whole number, or a time such as \"20s\"")),
    }
}

/// As the SDK's `duration::parse`, for literals.
fn millis(text: &str) -> Option<i64> {
    let (count, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    count.parse::<i64>().ok()?.checked_mul(factor)
}

/// `names = "user"`, `reads = "user"`, `assigns = "text"` as the keyword that says so.
fn meaning(meta: &ParseNestedMeta<'_>, keywords: &mut Map<String, Json>) -> syn::Result<()> {
    if meta.path.is_ident("after") {
        let outcome: LitStr = meta.value()?.parse()?;
        keywords.insert("x-after".into(), outcome.value().into());
        return Ok(());
    }
    let known: [(&str, &str, &[&str]); 4] = [
        ("names", "x-type", &NOUNS),
        ("does", "x-does", &METHODS),
        ("assigns", "x-assigns", &ASSIGNED),
        ("reads", "x-reads", &VARIABLE_TYPES),
    ];
    let Some((_, keyword, words)) = known.iter().find(|(name, ..)| meta.path.is_ident(name)) else {
        return Err(meta.error("expected default, min, max, names, does, assigns, after, reads or by"));
    };
    let text: LitStr = meta.value()?.parse()?;
    let word = text.value();
    if !words.contains(&word.as_str()) {
        return Err(syn::Error::new(text.span(), format!("expected one of {}", words.join(", "))));
    }
    keywords.insert((*keyword).into(), word.into());
    Ok(())
}

/// `by(mode, user(names = "user"), variable(reads = "user"))`: what the text means depends on another parameter.
fn by(meta: &ParseNestedMeta<'_>) -> syn::Result<Map<String, Json>> {
    let mut cases = Map::new();
    meta.parse_nested_meta(|case| {
        let word = case.path.require_ident()?.to_string();
        if cases.is_empty() {
            cases.insert("parameter".into(), word.into());
            return Ok(());
        }
        let mut keywords = Map::new();
        case.parse_nested_meta(|inner| meaning(&inner, &mut keywords))?;
        cases.insert(word.replace('_', "-"), keywords.into());
        Ok(())
    })?;
    Ok(cases)
}
