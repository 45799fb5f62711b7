//! The macros of `plugboard-sdk`; read its documentation, this crate has no other use.

mod action;
mod attribute;
mod choice;
mod integration;
mod outcome;
mod parameters;
mod text;

use proc_macro::TokenStream;
use syn::{DeriveInput, ItemFn, ItemImpl, parse_macro_input};

/// Turns a function into a component: `fn(P) -> Result<O, Failure>`, where `P` is `Parameters` and `O` is `Outcome`.
///
/// The action's name is the function's with `-` for `_`, its version is the package's, its English summary the function's
/// doc comment. Arguments: `ru("Title", "Summary")` and so on for each language (`en("Title")` where the name does not
/// make a good title), `name = "other-name"`, and `beside` for an action that the scenario does not wait for.
#[proc_macro_attribute]
pub fn action(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function = parse_macro_input!(item as ItemFn);
    let expanded = syn::parse::<action::Arguments>(arguments).and_then(|given| action::expand(given, &function));
    expanded.unwrap_or_else(|fault| fault.to_compile_error()).into()
}

/// Turns an `impl Integration for ..` into a component.
///
/// The version is the package's, the English summary the doc comment. Arguments: `name = "my-crm"`, `ru("Title", "Summary")` and so on for
/// each language, and for each service of the web that is asked `service(api, en("What it is"), ru(..))`.
#[proc_macro_attribute]
pub fn integration(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemImpl);
    let expanded = syn::parse::<integration::Arguments>(arguments).and_then(|given| integration::expand(given, &item));
    expanded.unwrap_or_else(|fault| fault.to_compile_error()).into()
}

/// Reads a struct from the action's JSON and writes its JSON Schema.
#[proc_macro_derive(Parameters, attributes(parameter, text))]
pub fn parameters(item: TokenStream) -> TokenStream {
    derive(item, parameters::expand)
}

/// Makes an enum without fields a set of words that a parameter can have.
#[proc_macro_derive(Choice, attributes(text))]
pub fn choice(item: TokenStream) -> TokenStream {
    derive(item, choice::expand)
}

/// Makes an enum the outcomes of an action, and its variants' fields the variables that they assign.
#[proc_macro_derive(Outcome, attributes(text))]
pub fn outcome(item: TokenStream) -> TokenStream {
    derive(item, outcome::expand)
}

fn derive(item: TokenStream, expand: fn(&DeriveInput) -> syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    let input = parse_macro_input!(item as DeriveInput);
    expand(&input).unwrap_or_else(|fault| fault.to_compile_error()).into()
}
