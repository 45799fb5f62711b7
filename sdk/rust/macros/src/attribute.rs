//! `#[parameter(default = .., min = .., max = .., assigns = .., reads = ..)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Expr, ExprUnary, Lit, LitStr, UnOp};

/// The types of scenario variables, as `wit/0.1.0/action.wit` names them.
const VARIABLE_TYPES: [&str; 8] = ["text", "number", "boolean", "time", "user", "group", "texts", "users"];

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
    assigns: Option<String>,
    reads: Option<String>,
}

impl Given {
    /// Reads every `#[parameter(..)]` of a field.
    pub(crate) fn of(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut given = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("parameter")) {
            attribute.parse_nested_meta(|meta| {
                let value = meta.value()?;
                if meta.path.is_ident("default") {
                    given.default = Some(literal(&value.parse()?)?);
                } else if meta.path.is_ident("min") {
                    given.min = Some(bound(&value.parse()?)?);
                } else if meta.path.is_ident("max") {
                    given.max = Some(bound(&value.parse()?)?);
                } else if meta.path.is_ident("assigns") {
                    given.assigns = Some(variable_type(&value.parse()?)?);
                } else if meta.path.is_ident("reads") {
                    given.reads = Some(variable_type(&value.parse()?)?);
                } else {
                    return Err(meta.error("expected default, min, max, assigns or reads"));
                }
                Ok(())
            })?;
        }
        Ok(given)
    }

    /// The fields of the SDK's `Field` that come from here.
    pub(crate) fn tokens(&self) -> TokenStream {
        let default = option(self.default.as_ref().map(Literal::tokens));
        let min = option(self.min.as_ref().map(bound_tokens));
        let max = option(self.max.as_ref().map(bound_tokens));
        let assigns = option(self.assigns.as_ref().map(|name| quote!(#name)));
        let reads = option(self.reads.as_ref().map(|name| quote!(#name)));
        quote!(default: #default, min: #min, max: #max, assigns: #assigns, reads: #reads)
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
}

fn option(tokens: Option<TokenStream>) -> TokenStream {
    match tokens {
        Some(tokens) => quote!(::core::option::Option::Some(#tokens)),
        None => quote!(::core::option::Option::None),
    }
}

fn bound_tokens((literal, measure): &(Literal, i64)) -> TokenStream {
    let literal = literal.tokens();
    quote!((#literal, #measure))
}

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

fn variable_type(text: &LitStr) -> syn::Result<String> {
    let name = text.value();
    if VARIABLE_TYPES.contains(&name.as_str()) {
        return Ok(name);
    }
    Err(syn::Error::new(text.span(), format!("expected one of {}", VARIABLE_TYPES.join(", "))))
}
