//! `#[derive(Parameters)]`.

use crate::attribute::Given;
use crate::text;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields};

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(syn::Error::new_spanned(&input.ident, "Parameters is for a struct with named fields"));
    };
    let fields = match &data.fields {
        Fields::Named(fields) => fields.named.iter().collect(),
        Fields::Unit => Vec::new(),
        Fields::Unnamed(_) => {
            return Err(syn::Error::new_spanned(&input.ident, "Parameters is for a struct with named fields"));
        }
    };
    let (mut statics, mut schemas, mut reads) = (Vec::new(), Vec::new(), Vec::new());
    for field in fields {
        let Some(ident) = &field.ident else { continue };
        let (name, kind) = (ident.to_string().trim_start_matches("r#").to_owned(), &field.ty);
        let given = Given::of(&field.attrs)?;
        let mut keywords = text::keywords(&text::of_item(&field.attrs, &name)?);
        given.add_to(&mut keywords);
        let (keywords, given) = (text::members(&keywords), given.tokens());
        let constant = format_ident!("FIELD_{}", name.to_ascii_uppercase());
        statics.push(quote! {
            static #constant: ::plugboard_sdk::macros::Field =
                ::plugboard_sdk::macros::Field { name: #name, keywords: #keywords, #given };
        });
        schemas.push(quote!(::plugboard_sdk::macros::field_schema::<#kind>(&#constant)));
        reads.push(quote!(#ident: ::plugboard_sdk::macros::read_field::<#kind>(&mut object, &#constant)?));
    }
    let ident = &input.ident;
    let (generics, arguments, condition) = input.generics.split_for_impl();
    Ok(quote! {
        const _: () = {
            #(#statics)*
            impl #generics ::plugboard_sdk::Parameters for #ident #arguments #condition {
                fn schema() -> ::std::string::String {
                    ::plugboard_sdk::macros::object_schema(&[#(#schemas),*])
                }

                #[allow(unused_mut, reason = "an action without parameters takes nothing out")]
                fn read(
                    mut object: ::plugboard_sdk::macros::Map<
                        ::std::string::String,
                        ::plugboard_sdk::macros::Json,
                    >,
                ) -> ::core::result::Result<Self, ::plugboard_sdk::ParameterError> {
                    let parameters = Self { #(#reads),* };
                    ::plugboard_sdk::macros::refuse_unknown(&object)?;
                    ::core::result::Result::Ok(parameters)
                }
            }
        };
    })
}
