//! `#[integration]`.

use crate::text::{self, Words};
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Ident, ItemImpl, LitStr, Token, parenthesized};

/// `name = "rest-contacts", ru("Title", "Summary"), service(api, en("Title"), ru("Title"))`.
pub(crate) struct Arguments {
    name: LitStr,
    texts: Vec<Words>,
    services: Vec<Service>,
}

struct Service {
    name: String,
    texts: Vec<Words>,
}

impl Parse for Service {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let content;
        parenthesized!(content in input);
        let ident: Ident = content.parse()?;
        let mut texts = Vec::new();
        while !content.is_empty() {
            content.parse::<Token![,]>()?;
            if !content.is_empty() {
                texts.push(content.parse()?);
            }
        }
        let name = text::kebab(&ident)?;
        Ok(Self { texts: text::complete(texts, &[], &name)?, name })
    }
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (mut name, mut texts, mut services) = (None, Vec::new(), Vec::new());
        while !input.is_empty() {
            let word: Ident = input.fork().parse()?;
            if word == "service" {
                input.parse::<Ident>()?;
                services.push(input.parse()?);
            } else if word == "name" {
                input.parse::<Ident>()?;
                input.parse::<Token![=]>()?;
                name = Some(input.parse()?);
            } else {
                texts.push(input.parse()?);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let name = name.ok_or_else(|| input.error("say its name: name = \"..\""))?;
        Ok(Self { name, texts, services })
    }
}

pub(crate) fn expand(given: Arguments, item: &ItemImpl) -> syn::Result<TokenStream> {
    let (name, own) = (given.name.value(), &item.self_ty);
    text::check_name(&name, given.name.span())?;
    let texts = text::complete(given.texts, &item.attrs, &name)?;
    if texts.first().is_some_and(|english| english.sentence.is_empty()) {
        return Err(syn::Error::new_spanned(own, "say in a doc comment what the integration does: it is the summary"));
    }
    let texts = text::tokens(&texts);
    let services = given.services.iter().map(|service| {
        let (name, texts) = (&service.name, text::tokens(&service.texts));
        quote!((#name, #texts))
    });
    Ok(quote! {
        #item

        #[doc(hidden)]
        #[allow(unsafe_code, reason = "the exports of a component are C functions; the SDK wrote them")]
        mod plugboard_component {
            #[allow(unused_imports, reason = "the type that the integration is written for may be named from anywhere")]
            use super::*;
            use ::plugboard_sdk_integration::macros as written;

            struct Component;

            impl written::Guest for Component {
                fn describe() -> written::IntegrationDescription {
                    const MANIFEST: written::Manifest = written::Manifest {
                        name: #name,
                        version: ::core::env!("CARGO_PKG_VERSION"),
                        texts: #texts,
                        services: &[#(#services),*],
                    };
                    written::describe::<#own>(&MANIFEST)
                }

                fn find_contacts(
                    number: written::Number,
                    most: u32,
                ) -> ::core::result::Result<::std::vec::Vec<written::Contact>, ::std::string::String> {
                    written::find_contacts::<#own>(number, most)
                }

                fn responsible_for(
                    contact: ::std::string::String,
                ) -> ::core::result::Result<::std::vec::Vec<::std::string::String>, ::std::string::String> {
                    written::responsible_for::<#own>(contact)
                }

                fn log_call(call: written::EndedCall) -> ::core::result::Result<(), ::std::string::String> {
                    written::log_call::<#own>(call)
                }
            }

            ::plugboard_sdk_integration::macros::export_integration!(Component);
        }
    })
}
