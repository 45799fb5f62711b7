//! `#[derive(Outcome)]`.

use crate::text::{self, Words};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, Variant};

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(syn::Error::new_spanned(&input.ident, "Outcome is for an enum; each variant is an outcome"));
    };
    let (mut declared, mut arms) = (Vec::new(), Vec::new());
    for variant in &data.variants {
        let (entry, arm) = one(variant)?;
        declared.push(entry);
        arms.push(arm);
    }
    let ident = &input.ident;
    // An enum without variants is an action that never returns to its scenario.
    let assigned = if arms.is_empty() {
        quote!(match self {})
    } else {
        quote!(::core::result::Result::Ok(match self { #(#arms)* }))
    };
    Ok(quote! {
        impl ::plugboard_sdk::Outcome for #ident {
            const DECLARED: &'static [::plugboard_sdk::macros::Declared] = &[#(#declared),*];

            fn assign(self) -> ::core::result::Result<&'static str, ::plugboard_sdk::Failure> {
                #assigned
            }
        }
    })
}

/// The manifest entry of one outcome, and the arm that assigns its variables.
fn one(variant: &Variant) -> syn::Result<(TokenStream, TokenStream)> {
    let (ident, name) = (&variant.ident, text::kebab(&variant.ident)?);
    if name == "failed" {
        return Err(syn::Error::new_spanned(ident, "every action has `failed`: return Err(Failure) for it"));
    }
    // An outcome has one text a language: the doc comment where there is one.
    let texts: Vec<_> = text::of_item(&variant.attrs, &name)?
        .into_iter()
        .map(|Words { language, title, sentence }| {
            let title = if sentence.is_empty() { title } else { sentence.trim_end_matches('.').to_owned() };
            Words { language, title, sentence: String::new() }
        })
        .collect();
    let texts = text::tokens(&texts);
    let fields: Vec<_> = match &variant.fields {
        Fields::Unit => Vec::new(),
        Fields::Named(fields) => {
            fields.named.iter().filter_map(|field| Some((field.ident.as_ref()?, &field.ty))).collect()
        }
        Fields::Unnamed(_) => {
            return Err(syn::Error::new_spanned(variant, "name the fields: each is the variable that it assigns"));
        }
    };
    let sets = fields.iter().map(|(field, kind)| {
        let variable = field.to_string().trim_start_matches("r#").to_owned();
        quote!(::plugboard_sdk::macros::Sets {
            name: #variable,
            type_name: <#kind as ::plugboard_sdk::macros::Variable>::TYPE,
            always: <#kind as ::plugboard_sdk::macros::Variable>::ALWAYS,
        })
    });
    let entry = quote!(::plugboard_sdk::macros::Declared { name: #name, texts: #texts, sets: &[#(#sets),*] });
    let idents = fields.iter().map(|(field, _)| field);
    let assignments = fields.iter().map(|(field, _)| {
        let variable = field.to_string().trim_start_matches("r#").to_owned();
        quote!(::plugboard_sdk::variables::set(#variable, #field)?;)
    });
    let arm = quote!(Self::#ident { #(#idents),* } => { #(#assignments)* #name });
    Ok((entry, arm))
}
