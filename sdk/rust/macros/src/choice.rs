//! `#[derive(Choice)]`.

use crate::text;
use proc_macro2::TokenStream;
use quote::quote;
use serde_json::{Map, json};
use syn::{Data, DeriveInput, Fields};

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(syn::Error::new_spanned(&input.ident, "Choice is for an enum without fields"));
    };
    let (mut words, mut arms, mut texts) = (Vec::new(), Vec::new(), Map::new());
    for (place, variant) in data.variants.iter().enumerate() {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(syn::Error::new_spanned(variant, "a choice is one word and has no fields"));
        }
        let (ident, word) = (&variant.ident, text::kebab(&variant.ident)?);
        texts.insert(word.clone(), text::keywords(&text::of_item(&variant.attrs, &word)?).into());
        words.push(word);
        arms.push(quote!(#place => ::core::option::Option::Some(Self::#ident)));
    }
    let schema = json!({ "type": "string", "enum": words, "x-choices": texts }).to_string();
    let ident = &input.ident;
    Ok(quote! {
        impl ::plugboard_sdk::Choice for #ident {
            const WORDS: &'static [&'static str] = &[#(#words),*];
            const SCHEMA: &'static str = #schema;

            fn at(place: usize) -> ::core::option::Option<Self> {
                match place {
                    #(#arms,)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    })
}
