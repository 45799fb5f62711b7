//! `#[action]`.

use crate::text::{self, Words};
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Ident, ItemFn, LitStr, Token};

/// `ru("Title", "Summary"), name = "play-audio", beside`.
pub(crate) struct Arguments {
    texts: Vec<Words>,
    name: Option<LitStr>,
    blocking: bool,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut arguments = Self { texts: Vec::new(), name: None, blocking: true };
        while !input.is_empty() {
            if input.peek2(syn::token::Paren) {
                arguments.texts.push(input.parse()?);
            } else {
                let word: Ident = input.parse()?;
                if word == "name" {
                    input.parse::<Token![=]>()?;
                    arguments.name = Some(input.parse()?);
                } else if word == "beside" {
                    arguments.blocking = false;
                } else {
                    let problem = "expected a language such as ru(\"Title\", \"Summary\"), name = \"..\" or beside";
                    return Err(syn::Error::new(word.span(), problem));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(arguments)
    }
}

pub(crate) fn expand(given: Arguments, function: &ItemFn) -> syn::Result<TokenStream> {
    let ident = &function.sig.ident;
    let name = match &given.name {
        Some(name) => {
            text::check_name(&name.value(), name.span())?;
            name.value()
        }
        None => text::kebab(ident)?,
    };
    let texts = text::complete(given.texts, &function.attrs, &name)?;
    if texts.first().is_some_and(|english| english.sentence.is_empty()) {
        return Err(syn::Error::new_spanned(ident, "say in a doc comment what the action does: it is the summary"));
    }
    let (texts, blocking) = (text::tokens(&texts), given.blocking);
    Ok(quote! {
        #[allow(
            clippy::needless_pass_by_value,
            clippy::unnecessary_wraps,
            reason = "every action takes its parameters and returns a result"
        )]
        #function

        #[doc(hidden)]
        #[allow(unsafe_code, reason = "the exports of a component are C functions; the SDK wrote them")]
        mod plugboard_component {
            struct Component;

            impl ::plugboard_sdk::macros::Guest for Component {
                fn describe() -> ::plugboard_sdk::macros::ActionDescription {
                    const MANIFEST: ::plugboard_sdk::macros::Manifest = ::plugboard_sdk::macros::Manifest {
                        name: #name,
                        version: ::core::env!("CARGO_PKG_VERSION"),
                        texts: #texts,
                        blocking: #blocking,
                    };
                    ::plugboard_sdk::macros::describe(&MANIFEST, super::#ident)
                }

                fn run(
                    parameters: ::std::string::String,
                ) -> ::core::result::Result<::std::string::String, ::std::string::String> {
                    ::plugboard_sdk::macros::run(&parameters, super::#ident)
                }
            }

            ::plugboard_sdk::macros::export_action!(Component);
        }
    })
}
